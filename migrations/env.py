"""Alembic's environment: one connection from DATABASE_URL, one advisory lock so that two migrations never race."""

from alembic import context
from sqlalchemy import create_engine, text

MIGRATION_LOCK = 7_301_944_212
"""Advisory lock of all Coldstream migrations; the number only has to be ours."""


def run() -> None:
    """Run the migrations on the configured database."""
    url = context.config.get_main_option("sqlalchemy.url")
    if not url:
        message = "no database: set DATABASE_URL, for example postgresql://coldstream@127.0.0.1:7403/coldstream"
        raise SystemExit(message)
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
        connection.commit()
        context.configure(connection=connection, target_metadata=None)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
