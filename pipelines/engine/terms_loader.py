"""Loads immutable policy versions and sensor configurations by number: all that detect_excursions ever reads back."""

from collections.abc import Sequence
from typing import Any

import psycopg

from pipelines.connectors.errors import Misconfigured
from pipelines.domain.policy import Policy
from pipelines.domain.policy_document import PolicyError, parse_policy
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.terms import Configuration, Configurations, Policies, Terms


def load_terms(database: Reconnecting) -> Terms:
    """Return terms that are loaded from the database when first asked for."""

    def rows_of(statement: str, numbers: Sequence[int], what: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []

        def read(connection: psycopg.Connection) -> None:
            found[:] = connection.execute(statement, (list(numbers),)).fetchall()

        database.transact(read)
        missing = set(numbers) - {row[0] for row in found}
        if missing:
            message = f"readings name {what} {min(missing)}, which is not in the database: is this the database that decode_uplinks uses?"
            raise Misconfigured(message)
        return found

    def policy(number: int) -> Policy:
        ((_, document),) = rows_of("SELECT id, document FROM policy_versions WHERE id = ANY(%s)", [number], "policy version")
        try:
            return parse_policy(document)
        except PolicyError as error:
            message = f"policy version {number} in the database cannot be judged by: {error}"
            raise Misconfigured(message) from error

    def configurations(numbers: Sequence[int]) -> dict[int, Configuration]:
        statement = "SELECT id, max_gap_ms, offline_after_ms, calibration_hundredths FROM sensor_configurations WHERE id = ANY(%s)"
        return {row[0]: Configuration(row[1], row[2], row[3]) for row in rows_of(statement, numbers, "sensor configuration")}

    return Terms(Policies(policy), Configurations(configurations))
