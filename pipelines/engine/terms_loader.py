"""Loads immutable policy versions and sensor configurations by number: all that detect_excursions ever reads back."""

from typing import Any

import psycopg

from pipelines.connectors.errors import Misconfigured
from pipelines.domain.policy import Policy
from pipelines.domain.policy_document import PolicyError, parse_policy
from pipelines.engine.reconnecting import Reconnecting
from pipelines.engine.terms import Configuration, Configurations, Policies, Terms


def load_terms(database: Reconnecting) -> Terms:
    """Return terms that are loaded from the database when first asked for."""

    def row_of(statement: str, number: int, what: str) -> tuple[Any, ...]:
        found: list[tuple[Any, ...] | None] = []

        def read(connection: psycopg.Connection) -> None:
            found.append(connection.execute(statement, (number,)).fetchone())

        database.transact(read)
        row = found[-1]
        if row is None:
            message = f"readings name {what} {number}, which is not in the database: is this the database that decode_uplinks uses?"
            raise Misconfigured(message)
        return row

    def policy(number: int) -> Policy:
        (document,) = row_of("SELECT document FROM policy_versions WHERE id = %s", number, "policy version")
        try:
            return parse_policy(document)
        except PolicyError as error:
            message = f"policy version {number} in the database cannot be judged by: {error}"
            raise Misconfigured(message) from error

    def configuration(number: int) -> Configuration:
        statement = "SELECT max_gap_ms, offline_after_ms FROM sensor_configurations WHERE id = %s"
        return Configuration(*row_of(statement, number, "sensor configuration"))

    return Terms(Policies(policy), Configurations(configuration))
