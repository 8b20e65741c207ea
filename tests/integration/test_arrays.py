"""numpy columns arrive in PostgreSQL as the arrays they are, nulls included."""

import numpy as np
import psycopg
import pytest

from infra.local.local_stack import LocalStack
from pipelines.engine.arrays import OIDS, Array, register_arrays

TYPES = {"int16": "smallint", "int32": "integer", "int64": "bigint", "float64": "double precision", "bool": "boolean"}


@pytest.mark.parametrize("element", sorted(OIDS))
@pytest.mark.parametrize("null", [[], [0], [1, 3], [0, 1, 2, 3]])
def test_a_column_arrives_as_it_is_with_its_nulls(stack: LocalStack, element: str, null: list[int]) -> None:
    values = np.array([0, 1, -7, 120]).astype(element)
    missing = np.zeros(len(values), dtype=np.bool_)
    missing[null] = True
    with psycopg.connect(stack.database_url) as connection:
        register_arrays(connection)

        row = connection.execute(f"SELECT %s::{TYPES[element]}[], %s::text", (Array(values, missing), "beside")).fetchone()

    assert row == ([None if gone else value for value, gone in zip(values.tolist(), missing.tolist(), strict=True)], "beside")


def test_columns_of_two_types_and_an_empty_one_go_in_one_statement(stack: LocalStack) -> None:
    with psycopg.connect(stack.database_url) as connection:
        register_arrays(connection)

        row = connection.execute(
            "SELECT %s::integer[], %s::bigint[], %s::smallint[]",
            (Array(np.array([1, 2], dtype=np.int32)), Array(np.array([1 << 40])), Array(np.zeros(0, dtype=np.int16))),
        ).fetchone()

    assert row == ([1, 2], [1 << 40], [])
