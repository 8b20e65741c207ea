"""Where the programs of the local stack are on this machine, and what to install when one is missing."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.local.errors import StackError
from infra.local.folders import kafka_libs

OLDEST_JAVA: Final = 17
JAVA_PACKAGE: Final = "openjdk-17-jre-headless"
POSTGRES_PACKAGE: Final = "postgresql"
REDIS_PACKAGE: Final = "redis-server"
CHROMIUM_PACKAGE: Final = "chromium"
DEBIAN_POSTGRES: Final = Path("/usr/lib/postgresql")


def install(package: str) -> str:
    """Say how to install a Debian package."""
    return f"Install it with: apt-get install -y --no-install-recommends {package}   (or run `make setup` as root)"


def java() -> Path:
    """Return the Java program; raises StackError when there is none."""
    found = shutil.which("java")
    if found is None:
        raise StackError("Java is missing; Kafka needs it.", install(JAVA_PACKAGE))
    return Path(found)


def kafka_jars() -> Path:
    """Return the folder of Kafka's jars; raises StackError when they have not been fetched."""
    libs = kafka_libs()
    if not any(libs.glob("kafka_2.13-*.jar")):
        raise StackError(f"Kafka's jars are missing in {libs}.", "Fetch them with: make setup")
    return libs


def redis_server() -> Path:
    """Return the Redis server; raises StackError when there is none."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        raise StackError("redis-server is missing.", install(REDIS_PACKAGE))
    return Path(found)


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """PostgreSQL's programs, all of one version."""

    folder: Path

    @property
    def initdb(self) -> Path:
        """The program that makes a data folder."""
        return self.folder / "initdb"

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.folder / "postgres"

    @property
    def version(self) -> str:
        """The server's version, as it says it."""
        return _output(self.postgres, "--version").removeprefix("postgres (PostgreSQL) ")

    @property
    def has_timescaledb(self) -> bool:
        """Whether the TimescaleDB library is installed beside this server."""
        pg_config = self.folder / "pg_config"
        program = pg_config if pg_config.exists() else shutil.which("pg_config")
        if program is None:
            return any((self.folder.parent / "lib").glob("timescaledb.so"))
        return (Path(_output(program, "--pkglibdir")) / "timescaledb.so").exists()


def postgres_programs() -> PostgresPrograms:
    """Return the newest PostgreSQL; Debian keeps its programs off the PATH. Raises StackError when there is none."""
    folders = [folder / "bin" for folder in DEBIAN_POSTGRES.glob("[0-9]*")]
    on_path = shutil.which("postgres")
    found = sorted(
        (f for f in folders if (f / "initdb").exists()),
        key=lambda f: int(f.parent.name),
        reverse=True,
    )
    if on_path is not None:
        found.append(Path(on_path).resolve().parent)
    if not found:
        raise StackError("PostgreSQL is missing.", install(POSTGRES_PACKAGE))
    return PostgresPrograms(found[0])


def chromium() -> Path:
    """Return the browser of the page's tests; raises StackError when there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise StackError(
            "Chromium is missing; only the page's tests need it.",
            install(CHROMIUM_PACKAGE),
        )
    return Path(found)


def _output(program: Path | str, argument: str) -> str:
    """Return what a program prints about itself."""
    result = subprocess.run([str(program), argument], check=True, capture_output=True, text=True)
    return result.stdout.strip()
