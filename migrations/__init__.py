"""Alembic migrations, numbered, with SQL in plain sight. Nothing here decides anything about temperatures."""
