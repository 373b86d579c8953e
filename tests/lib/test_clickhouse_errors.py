"""The table of ClickHouse's error codes, against the engine's own."""

import pytest
from clickhouse_connect.driver.client import Client

from lib.clickhouse_errors import ACCESS, TRANSIENT, Code, is_transient

TOO_MANY_PARTITIONS = (
    "Code: 252. DB::Exception: Too many partitions for single INSERT block (more than 100). "
    "The limit is controlled by 'max_partitions_per_insert_block' setting. (TOO_MANY_PARTS)"
)
TOO_MANY_PARTS = (
    "Code: 252. DB::Exception: Too many parts (3000 with average size of 1.00 KiB) in table "
    "'stocks.ticks'. Merges are processing significantly slower than inserts. (TOO_MANY_PARTS)"
)


def test_each_name_is_the_engines_own(client: Client) -> None:
    numbers = [int(code) for code in Code]
    rows = client.query(
        "SELECT code, errorCodeToName(code) FROM (SELECT arrayJoin({codes:Array(UInt32)}) AS code)",
        parameters={"codes": numbers},
    ).result_rows
    assert {number: Code(number).name for number in numbers} == dict(rows)


def test_a_refused_user_is_not_transient() -> None:
    assert not ACCESS & TRANSIENT


@pytest.mark.parametrize(
    ("code", "text", "transient"),
    [
        (None, "connection refused", True),
        (Code.MEMORY_LIMIT_EXCEEDED, "", True),
        (Code.TOO_MANY_SIMULTANEOUS_QUERIES, "", True),
        (Code.NOT_ENOUGH_SPACE, "", True),
        (Code.TIMEOUT_EXCEEDED, "", True),
        (Code.TOO_MANY_PARTS, TOO_MANY_PARTS, True),
        (Code.TOO_MANY_PARTS, TOO_MANY_PARTITIONS, False),
        (Code.UNKNOWN_TABLE, "", False),
        (Code.READONLY, "", False),
        (153, "Division by zero", False),
        (395, "Value passed to 'throwIf' function is non-zero", False),
        (469, "Constraint `positive` is violated", False),
        (100_000, "a code of a later version", False),
    ],
)
def test_the_code_says_whether_an_error_is_transient(
    code: int | None, text: str, transient: bool
) -> None:
    assert is_transient(code, text) is transient
