"""The lease of a cell on a real database: one holder at a time, the dead are not waited for, and who lost it cannot write."""

import os
import threading
from collections.abc import Iterator

import psycopg
import pytest

from infra.local.local_stack import LocalStack
from pipelines.connectors.errors import Misconfigured
from pipelines.connectors.host import ProcessIdentity, this_process
from pipelines.connectors.timescale import DatabaseConfig
from pipelines.engine.lease import LEASE_SECONDS, CellLease, Claimant
from pipelines.engine.progress import Progress
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.stop import StopFlag
from tests.integration.engine_database import new_database

FLOW = "store_readings"
HERE = this_process()
ELSEWHERE = ProcessIdentity("other-host", 4711, "another boot/pid:[1]", "another boot/9")
LONG_GONE = ProcessIdentity(HERE.host, 2**22 + 1, HERE.place, "this boot/1")


@pytest.fixture(scope="module")
def migrated(stack: LocalStack) -> Iterator[DatabaseConfig]:
    """A migrated database."""
    with new_database(stack.database_url) as config:
        yield config


@pytest.fixture
def database(migrated: DatabaseConfig) -> DatabaseConfig:
    """The database with no lease in it."""
    execute(migrated, "TRUNCATE cell_leases, flow_progress")
    return migrated


def execute(database: DatabaseConfig, statement: str) -> None:
    """Run a statement and commit."""
    with psycopg.connect(database.url) as connection:
        connection.execute(statement)


def lease(
    database: DatabaseConfig,
    process: ProcessIdentity,
    *,
    lock_file: str = "",
    partitions: tuple[int, ...] = (0, 1),
) -> CellLease:
    """Describe a lease wanted by a process."""
    cell = f"{FLOW}-{partitions[0]:02d}-{partitions[-1]:02d}"
    return CellLease(Reconnecting(database, "test", StopFlag()), FLOW, cell, partitions, Claimant(process, lock_file, 7411))


def epochs(database: DatabaseConfig) -> dict[int, int]:
    """Return the epoch of each partition."""
    with psycopg.connect(database.url) as connection:
        return dict(connection.execute("SELECT partition, epoch FROM cell_leases").fetchall())


def write_as(holder: CellLease, database: DatabaseConfig, position: int) -> None:
    """Do what a flow's transaction does."""
    progress = Progress(FLOW)
    with psycopg.connect(database.url, autocommit=True) as connection:
        progress.load(connection)
        with connection.transaction():
            holder.fence(connection, [0])
            progress.advance(connection, {0: position})


def position(database: DatabaseConfig) -> int:
    """Return how far the flow is on record in partition 0."""
    progress = Progress(FLOW)
    with psycopg.connect(database.url) as connection:
        progress.load(connection)
    return progress.done(0)


def let_run_out(database: DatabaseConfig) -> None:
    """Have every lease run out, as it does when its holder is stopped for long."""
    execute(database, "UPDATE cell_leases SET expires_at = now() - interval '1 second'")


@pytest.mark.parametrize("partitions", [(0, 1), (1, 2, 3)])
def test_a_second_process_is_refused_with_the_holders_name_whatever_its_folder(
    database: DatabaseConfig, partitions: tuple[int, ...]
) -> None:
    lease(database, ELSEWHERE, lock_file="one").acquire()

    with pytest.raises(Misconfigured, match=r"store_readings-00-01 holds .*, process 4711 on other-host, .* ends in (60|59) s"):
        lease(database, HERE, lock_file="two", partitions=partitions).acquire()


def test_other_partitions_of_the_same_flow_are_free(database: DatabaseConfig) -> None:
    lease(database, ELSEWHERE).acquire()

    lease(database, HERE, partitions=(2, 3)).acquire()

    assert len(epochs(database)) == 4


def test_a_holder_whose_process_is_gone_from_this_machine_is_not_waited_for(database: DatabaseConfig) -> None:
    lease(database, LONG_GONE, lock_file="one").acquire()
    before = epochs(database)

    lease(database, HERE, lock_file="two").acquire()

    assert all(epoch > before[partition] for partition, epoch in epochs(database).items())


def test_a_process_id_that_was_given_again_is_not_taken_for_the_holder(database: DatabaseConfig) -> None:
    earlier = ProcessIdentity(HERE.host, os.getppid(), HERE.place, "this boot/1")
    lease(database, earlier, lock_file="one").acquire()

    lease(database, HERE, lock_file="two").acquire()

    assert len(epochs(database)) == 2


def test_a_holder_that_lives_on_this_machine_is_not_robbed(database: DatabaseConfig) -> None:
    alive = ProcessIdentity(HERE.host, HERE.pid, HERE.place, HERE.began)
    other = ProcessIdentity(HERE.host, HERE.pid + 1, HERE.place, "this boot/2")
    lease(database, alive, lock_file="one").acquire()

    with pytest.raises(Misconfigured, match=f"process {HERE.pid} on {HERE.host}"):
        lease(database, other, lock_file="two").acquire()


def test_who_holds_the_lock_of_the_holders_folder_takes_its_lease_at_once(database: DatabaseConfig) -> None:
    lease(database, ELSEWHERE, lock_file="boot/1:2").acquire()

    lease(database, HERE, lock_file="boot/1:2").acquire()

    assert len(epochs(database)) == 2


def test_a_lease_let_go_is_free_for_another_machine(database: DatabaseConfig) -> None:
    first = lease(database, HERE)
    first.acquire()

    first.release()

    lease(database, ELSEWHERE).acquire()


def test_a_holder_that_was_stopped_while_another_took_over_cannot_write(database: DatabaseConfig) -> None:
    stopped, successor = lease(database, ELSEWHERE), lease(database, HERE)
    stopped.acquire()
    write_as(stopped, database, 10)
    let_run_out(database)
    successor.acquire()

    with pytest.raises(Misconfigured, match=rf"lost the lease .* process {HERE.pid} on {HERE.host}, has it now"):
        write_as(stopped, database, 20)

    assert position(database) == 10
    write_as(successor, database, 15)
    assert position(database) == 15


def test_a_holder_that_was_stopped_while_another_took_over_learns_of_it_at_its_next_renewal(database: DatabaseConfig) -> None:
    stopped = lease(database, ELSEWHERE)
    stopped.acquire()
    let_run_out(database)
    lease(database, HERE).acquire()

    with pytest.raises(Misconfigured, match="lost the lease"):
        stopped.renew({0: 1, 1: 1}, {})


def test_a_lease_that_ran_out_and_that_nobody_took_is_held_on_to(database: DatabaseConfig) -> None:
    stopped = lease(database, ELSEWHERE)
    stopped.acquire()
    let_run_out(database)

    stopped.renew({0: 1, 1: 1}, {})

    with pytest.raises(Misconfigured, match="process 4711"):
        lease(database, HERE).acquire()


def taken_during_a_transaction(database: DatabaseConfig, first: CellLease, second: CellLease, *, seconds: float) -> tuple[bool, bool]:
    """Have one taken while a transaction under the other lasts; return whether it waited for that, and whether it is done afterwards."""
    taker = threading.Thread(target=second.acquire)
    with psycopg.connect(database.url) as connection:
        first.fence(connection, [0])
        taker.start()
        taker.join(seconds)
        waited = taker.is_alive()
    taker.join(10)
    return waited, not taker.is_alive()


def test_a_taker_waits_for_the_transaction_that_was_begun_under_the_lease(database: DatabaseConfig) -> None:
    first, second = lease(database, ELSEWHERE), lease(database, HERE)
    first.acquire()
    let_run_out(database)

    waited, is_done = taken_during_a_transaction(database, first, second, seconds=0.5)

    assert waited
    assert is_done
    with pytest.raises(Misconfigured, match="lost the lease"):
        write_as(first, database, 1)


def test_a_taker_outwaits_a_transaction_that_lasts_longer_than_one_wait_for_it(
    database: DatabaseConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.engine.lease.LOCK_SECONDS", 1)
    first, second = lease(database, ELSEWHERE), lease(database, HERE)
    first.acquire()
    let_run_out(database)

    waited, is_done = taken_during_a_transaction(database, first, second, seconds=2.5)

    assert waited
    assert is_done
    write_as(second, database, 1)


def test_a_transaction_that_a_stopped_process_left_open_is_ended_and_done_again_under_the_lease(database: DatabaseConfig) -> None:
    stopped, successor = lease(database, ELSEWHERE), lease(database, HERE)
    stopped.acquire()
    let_run_out(database)
    connections = Reconnecting(database, "test", StopFlag())
    begun: list[bool] = []

    def work(connection: psycopg.Connection) -> None:
        connection.execute("SET idle_in_transaction_session_timeout = '500ms'")
        with connection.transaction():
            stopped.fence(connection, [0])
            begun.append(True)
            successor.acquire()
            connection.execute("SELECT 1")

    with pytest.raises(Misconfigured, match=rf"lost the lease .* process {HERE.pid} on {HERE.host}, has it now"):
        connections.transact(work)
    connections.close()

    assert begun == [True]


def test_a_renewal_tells_how_far_how_fast_and_how_much_is_left(database: DatabaseConfig) -> None:
    holder = lease(database, HERE)
    holder.acquire()
    holder.renew({0: 100, 1: 5}, {0: 50, 1: 0})
    execute(database, "UPDATE cell_leases SET renewed_at = renewed_at - interval '10 seconds', expires_at = now()")

    holder.renew({0: 300, 1: 5}, {0: 20, 1: 0})

    with psycopg.connect(database.url) as connection:
        told = connection.execute("SELECT next_offset, lag, lag_before, round(per_second) FROM cell_leases ORDER BY partition").fetchall()
        left = connection.execute("SELECT extract(epoch FROM min(expires_at) - now()) FROM cell_leases").fetchone()
    assert told == [(300, 20, 50, 20.0), (5, 0, 0, 0.0)]
    assert left is not None
    assert LEASE_SECONDS - 5 < left[0] <= LEASE_SECONDS


def test_while_the_database_is_away_nothing_is_renewed_and_nothing_raised() -> None:
    nowhere = DatabaseConfig("postgresql://nobody@127.0.0.1:9/none")

    lease(nowhere, HERE).renew({0: 1, 1: 1}, {})
    lease(nowhere, HERE).release()
