"""Runs Alembic from code, so that `coldstream migrate`, `up` and the tests share one way."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text


def sqlalchemy_url(database_url: str) -> str:
    """Return the URL with psycopg 3 as its driver."""
    scheme, separator, rest = database_url.partition("://")
    if not separator or scheme.split("+")[0] not in {"postgresql", "postgres"}:
        message = f"DATABASE_URL must start with postgresql://, not {scheme!r}"
        raise ValueError(message)
    return f"postgresql+psycopg://{rest}"


def configuration(database_url: str) -> Config:
    """Return Alembic's configuration for a database."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("sqlalchemy.url", sqlalchemy_url(database_url).replace("%", "%%"))
    return config


def upgrade(database_url: str, revision: str = "head") -> None:
    """Bring the database to a revision; safe to run again and from any older revision."""
    command.upgrade(configuration(database_url), revision)


def head(database_url: str) -> str:
    """Return the newest revision that this code knows."""
    return str(ScriptDirectory.from_config(configuration(database_url)).get_current_head())


def current(database_url: str) -> str | None:
    """Return the database's revision, or None when it has none."""
    engine = create_engine(sqlalchemy_url(database_url))
    try:
        with engine.connect() as connection:
            if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
                return None
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return None if found is None else str(found)
    finally:
        engine.dispose()
