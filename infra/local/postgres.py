"""A PostgreSQL of our own: its own port and folder, as an unprivileged user, with TimescaleDB where it is installed.

The packaged server on the usual port is left alone. Settings are those of a small production server; fsync stays on.
"""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from infra.local import programs
from infra.local.children import ChildSpec
from infra.local.errors import NotReadyError, StackError
from infra.local.folders import Folders
from infra.local.ports import HOST, Ports
from infra.local.process import ProcessRecord
from infra.local.progress import Progress

NAME: Final = "postgres"
USER: Final = "postgres"
"""Who runs the server when we are root: Debian's package makes this user."""
ROLE: Final = "coldstream"
DATABASE: Final = "coldstream"
ANSWER_SECONDS: Final = 3
RECOVERY_SECONDS: Final = 600.0
"""After an unclean end the server reads its log anew: killed while it does, it would have to begin again each time."""
LONGEST_SOCKET_PATH: Final = 90
"""The kernel takes 107 bytes for a socket's path; its file name needs the rest."""
OUTSIDE_PARENTS: Final = (Path("/var/lib"), Path("/tmp"))  # noqa: S108 - the folder in it is named by a kept random id

SETTINGS: Final = {
    "listen_addresses": HOST,
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "wal_compression": "on",
    "max_wal_size": "2GB",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "1000",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_lock_waits": "on",
    "idle_in_transaction_session_timeout": "60000",
}
TIMESCALEDB_SETTINGS: Final = {
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    "max_worker_processes": "24",
    "timescaledb.max_background_workers": "8",
}


def url(ports: Ports) -> str:
    """Return the address under which clients find this database."""
    return f"postgresql://{ROLE}@{HOST}:{ports.postgres}/{DATABASE}"


def spec(folders: Folders, ports: Ports, progress: Progress) -> ChildSpec:
    """Describe PostgreSQL as a child; raises StackError when it or a user to run it is missing."""
    installed = programs.postgres_programs()
    user = _unprivileged_user()
    folder = data_folder(folders, user, progress)
    settings = SETTINGS | {
        "port": str(ports.postgres),
        "unix_socket_directories": _socket_folder(folder),
    }
    if installed.has_timescaledb:
        settings |= TIMESCALEDB_SETTINGS
    arguments = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]

    def prepare() -> None:
        _make_cluster(folder, installed, user)
        remove_stale_pid_file(folder)

    return ChildSpec(
        name=NAME,
        command=(str(installed.postgres), "-D", str(folder), *arguments),
        ports=(ports.postgres,),
        environment={"LC_ALL": "C.UTF-8", "PGDATA": str(folder)},
        user=user,
        prepare=prepare,
        probe=lambda: serves(ports),
        # SIGINT is the fast shutdown: it ends sessions instead of waiting for clients to leave.
        stop_signal=signal.SIGINT,
        grace_seconds=30.0,
        ready_seconds=RECOVERY_SECONDS,
    )


async def answers(address: str) -> None:
    """Return once the database answers a query. Raises NotReadyError."""
    await asyncio.to_thread(_select_one, address)


async def serves(ports: Ports) -> None:
    """Return once our own server answers and has our database, which is created when missing. Raises NotReadyError."""
    await asyncio.to_thread(_ensure_database, ports)


def data_folder(folders: Folders, user: str | None, progress: Progress) -> Path:
    """Return where the cluster lives: in the data folder, or outside where its user cannot enter that."""
    inside = folders.data / NAME
    if user is None or _can_reach(inside.parent, user):
        return inside
    for parent in OUTSIDE_PARENTS:
        if os.access(parent, os.W_OK) and _can_reach(parent, user):
            outside = folders.outside(parent)
            if not outside.exists():
                progress.say(
                    NAME,
                    f"user {user} cannot enter {folders.data}; the database lives in {outside}",
                )
                for other in parent.glob(f"{outside.name.rpartition('-')[0]}-*"):
                    progress.warn(
                        NAME,
                        f"{other} is the database of a data folder that is gone; remove it by hand",
                    )
            return outside
    problem = f"User {user} can enter neither {folders.data} nor {OUTSIDE_PARENTS[0]} nor {OUTSIDE_PARENTS[1]}."
    raise StackError(problem, "Name a folder that every user can enter with --data.")


def remove_stale_pid_file(folder: Path) -> None:
    """Remove the lock file of a server that was killed, unless that server still runs."""
    pid_file = folder / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return
    # The id may belong to another process by now; only a server that works in this folder holds it.
    if ProcessRecord.of(pid) is not None and _works_in(pid, folder):
        raise StackError(
            f"PostgreSQL (pid {pid}) already runs on {folder}.",
            f"Stop it: kill -INT {pid}",
        )
    pid_file.unlink()


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == folder.resolve()
    except OSError:
        return False


def _unprivileged_user() -> str | None:
    """Return the user to run the server as when we are root; None runs it as ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(USER)
    except KeyError:
        problem = f"PostgreSQL refuses to run as root, and there is no user {USER!r}."
        raise StackError(problem, programs.install(programs.POSTGRES_PACKAGE)) from None
    return USER


def _can_reach(folder: Path, user: str) -> bool:
    """Ask the system whether a user may enter a folder and all those above it."""
    command = ["/usr/bin/test", "-x", str(folder)]
    result = subprocess.run(command, check=False, user=user, group=user, extra_groups=[], cwd="/")
    return result.returncode == 0


def _socket_folder(folder: Path) -> str:
    """Keep the socket in our folder; have none where the path is too long for one."""
    return str(folder) if len(str(folder)) <= LONGEST_SOCKET_PATH else ""


def _make_cluster(folder: Path, installed: programs.PostgresPrograms, user: str | None) -> None:
    """Make the cluster unless there is one: beside its place first, so that a broken try is never taken for one."""
    if (folder / "PG_VERSION").exists():
        _require_version(folder, installed)
        return
    if folder.exists() and any(folder.iterdir()):
        problem = f"{folder} holds files but no PG_VERSION; it is left as it is."
        raise StackError(problem, "Move it away if its data is not needed.")
    draft = folder.with_name(f"{folder.name}.draft-{os.getpid()}")
    draft.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(draft, user, user)
    options = (
        "--auth=trust",
        f"--username={ROLE}",
        "--encoding=UTF8",
        "--locale=C",
        "--lc-ctype=C.UTF-8",
    )
    result = subprocess.run(
        [installed.initdb, "-D", draft, "--data-checksums", *options],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )
    if result.returncode != 0:
        shutil.rmtree(draft, ignore_errors=True)
        raise StackError("initdb failed.", (result.stdout + result.stderr)[-2000:])
    draft.rename(folder)


def _require_version(folder: Path, installed: programs.PostgresPrograms) -> None:
    """Raise StackError when the cluster was made by another major version."""
    made_by = (folder / "PG_VERSION").read_text().strip()
    if installed.version.split(".")[0] != made_by:
        problem = f"{folder} was made by PostgreSQL {made_by}; installed is {installed.version}."
        raise StackError(
            problem,
            f"Install postgresql-{made_by}, or move the folder away if its data is not needed.",
        )


def _select_one(address: str) -> None:
    try:
        with psycopg.connect(address, connect_timeout=ANSWER_SECONDS) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError as error:
        raise NotReadyError(f"PostgreSQL does not answer: {str(error).strip().splitlines()[-1]}") from error


def _ensure_database(ports: Ports) -> None:
    maintenance = f"postgresql://{ROLE}@{HOST}:{ports.postgres}/postgres"
    try:
        with psycopg.connect(maintenance, connect_timeout=ANSWER_SECONDS, autocommit=True) as connection:
            query = "SELECT FROM pg_database WHERE datname = %s"
            if connection.execute(query, (DATABASE,)).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(DATABASE)))
    except psycopg.OperationalError as error:
        raise NotReadyError(f"PostgreSQL does not answer: {str(error).strip().splitlines()[-1]}") from error
    _select_one(url(ports))
