"""Alembic's environment: one connection from DATABASE_URL, one advisory lock so that two migrations never race.

Each migration is a transaction of its own and waits for no lock for long: whoever came behind it would wait as well.
"""

from alembic import context
from psycopg.errors import LockNotAvailable
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

MIGRATION_LOCK = 7_301_944_212
"""Advisory lock of all Coldstream migrations; the number only has to be ours."""

LOCK_SECONDS = 5
"""How long a migration waits for a table that somebody uses."""


def run() -> None:
    """Run the migrations on the configured database."""
    url = context.config.get_main_option("sqlalchemy.url")
    if not url:
        message = "no database: set DATABASE_URL, for example postgresql://coldstream@127.0.0.1:7403/coldstream"
        raise SystemExit(message)
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
            connection.execute(text(f"SET lock_timeout = '{LOCK_SECONDS}s'"))
            connection.commit()
            context.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
            with context.begin_transaction():
                context.run_migrations()
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        message = (
            f"a table was in use for more than {LOCK_SECONDS} s, so the migration was not made; those before it stand. "
            "Run `coldstream migrate` again, with long queries and changes ended."
        )
        raise SystemExit(message) from error
    finally:
        engine.dispose()


run()
