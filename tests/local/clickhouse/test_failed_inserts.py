"""Inserts that fail after their rows are read: an error each, never a 200."""

from collections.abc import Iterator
from datetime import date, timedelta
from threading import Thread

import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from lib.clickhouse_errors import Code
from tests.conftest import wait_until
from tests.local.clickhouse.conftest import Embedded, code_of

ROWS = b"1,1\n2,0\n3,3\n"
SLOW = "FROM system.processes WHERE Settings['log_comment'] = 'slow'"
DAYS = [date(2024, 1, 1) + timedelta(days=number) for number in range(150)]


@pytest.fixture
def database(server: Embedded) -> Iterator[str]:
    server.sql("CREATE DATABASE failing")
    yield "failing"
    server.sql("DROP DATABASE failing SYNC")


def make(server: Embedded, more: str = "", settings: str = "") -> None:
    server.sql(
        f"CREATE TABLE failing.t (a Int64, v Int64{more}) ENGINE = MergeTree ORDER BY a"
        f" {'SETTINGS ' + settings if settings else ''}"
    )


def make_view(server: Embedded, select: str) -> None:
    make(server)
    server.sql("CREATE TABLE failing.target (x Int64) ENGINE = MergeTree ORDER BY x")
    server.sql(
        f"CREATE MATERIALIZED VIEW failing.v TO failing.target"
        f" AS SELECT {select} AS x FROM failing.t"
    )


def refused(server: Embedded, rows: bytes = ROWS, **settings: str) -> tuple[str, int]:
    """The name of the error that the insert ends with, and how many rows its view has."""
    response = server.post(rows, query="INSERT INTO failing.t (a, v) FORMAT CSV", **settings)
    assert response.status_code >= 400, response.headers["X-ClickHouse-Summary"]
    assert '"written_rows":"0"' in response.headers["X-ClickHouse-Summary"]
    name = response.text.rpartition(" (version")[0].rpartition("(")[2].rstrip(")")
    assert f"Code: {code_of(response)}." in response.text
    # The connection and the server serve the next query.
    assert server.sql("SELECT 1") == "1"
    return name, int(server.sql("SELECT sum(rows) FROM system.parts WHERE table = 'target'"))


def stored(server: Embedded) -> str:
    return server.sql("SELECT count() FROM failing.t")


def test_an_insert_into_too_many_partitions(server: Embedded, database: str) -> None:
    server.sql("CREATE TABLE failing.t (d Date) ENGINE = MergeTree PARTITION BY d ORDER BY d")
    csv = "".join(f"{day}\n" for day in DAYS).encode()
    values = ", ".join(f"('{day}')" for day in DAYS)
    answers = [
        server.post(csv, query="INSERT INTO failing.t FORMAT CSV"),
        server.post(f"INSERT INTO failing.t VALUES {values}"),
    ]
    for answer in answers:
        assert answer.status_code == 500
        assert "Too many partitions for single INSERT block" in answer.text
        assert code_of(answer) == Code.TOO_MANY_PARTS
    with pytest.raises(DatabaseError, match="TOO_MANY_PARTS"):
        server.client().insert_arrow("failing.t", pa.table({"d": DAYS}))
    assert stored(server) == "0"


@pytest.mark.parametrize(
    ("select", "name"),
    [
        ("intDiv(1000000, v)", "ILLEGAL_DIVISION"),
        ("throwIf(v = 0)", "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
        ("if(v = 0, NULL, v)", "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN"),
        ("toInt64(if(v = 0, 'x', '1'))", "CANNOT_PARSE_TEXT"),
    ],
)
def test_a_view_that_cannot_take_a_row(
    server: Embedded, database: str, select: str, name: str
) -> None:
    make_view(server, select)
    assert refused(server) == (name, 0)
    # As on a server: the table has the rows, the view has not, and the client gets an error.
    assert stored(server) == "3"


def test_a_view_that_runs_out_of_memory(server: Embedded, database: str) -> None:
    make_view(server, "length(repeat('x', v * 100000000))")
    assert refused(server, max_memory_usage="50000000") == ("MEMORY_LIMIT_EXCEEDED", 0)


def test_a_view_that_takes_too_long(server: Embedded, database: str) -> None:
    make_view(server, "sleepEachRow(0.5)")
    assert refused(server, max_execution_time="1") == ("TIMEOUT_EXCEEDED", 0)


def test_a_view_whose_target_was_dropped(server: Embedded, database: str) -> None:
    make_view(server, "v")
    server.sql("DROP TABLE failing.target SYNC")
    assert refused(server) == ("UNKNOWN_TABLE", 0)
    assert stored(server) == "0"


@pytest.mark.parametrize(
    ("more", "name"),
    [
        (", CONSTRAINT positive CHECK v > 0", "VIOLATED_CONSTRAINT"),
        (", w Int64 DEFAULT throwIf(v = 0)", "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
        (", w Int64 MATERIALIZED intDiv(1, v)", "ILLEGAL_DIVISION"),
    ],
)
def test_a_table_that_cannot_take_a_row(
    server: Embedded, database: str, more: str, name: str
) -> None:
    make(server, more)
    assert refused(server) == (name, 0)
    assert stored(server) == "0"


@pytest.mark.parametrize(
    ("table", "query", "name"),
    [
        ("", {"max_memory_usage": "1000", "max_untracked_memory": "1"}, "MEMORY_LIMIT_EXCEEDED"),
        ("table_readonly = 1", {}, "TABLE_IS_PERMANENTLY_READ_ONLY"),
        ("min_free_disk_bytes_to_perform_insert = 1000000000000000", {}, "NOT_ENOUGH_SPACE"),
        ("", {"readonly": "1"}, "READONLY"),
    ],
)
def test_a_limit_of_the_server(
    server: Embedded, database: str, table: str, query: dict[str, str], name: str
) -> None:
    make(server, settings=table)
    assert refused(server, ROWS * 10_000, **query) == (name, 0)
    assert stored(server) == "0"


def test_an_insert_while_merges_are_behind(server: Embedded, database: str) -> None:
    make(server, settings="parts_to_throw_insert = 2, parts_to_delay_insert = 1000")
    server.sql("SYSTEM STOP MERGES failing.t")
    for _ in range(2):
        server.sql("INSERT INTO failing.t VALUES (1, 1)")
    assert refused(server) == ("TOO_MANY_PARTS", 0)
    assert stored(server) == "2"


def test_an_insert_that_is_killed(server: Embedded, database: str) -> None:
    make(server, ", w UInt8 DEFAULT sleepEachRow(0.1)")
    rows = ROWS * 100
    answers: list[int | None] = []

    def insert() -> None:
        query = "INSERT INTO failing.t (a, v) SETTINGS log_comment = 'slow' FORMAT CSV"
        settings = {"function_sleep_max_microseconds_per_block": "100000000"}
        answer = server.post(rows, query=query, **settings)
        answers.append(code_of(answer))

    thread = Thread(target=insert)
    thread.start()
    wait_until(lambda: server.sql(f"SELECT count() {SLOW}") == "1")
    server.sql("KILL QUERY WHERE Settings['log_comment'] = 'slow' SYNC")
    thread.join()
    assert answers == [Code.QUERY_WAS_CANCELLED]
    assert stored(server) == "0"


def test_settings_in_the_statement_hold_for_its_insert(server: Embedded, database: str) -> None:
    server.sql("CREATE TABLE failing.t (d Date) ENGINE = MergeTree PARTITION BY d ORDER BY d")
    query = "INSERT INTO failing.t SETTINGS max_partitions_per_insert_block = {} FORMAT CSV"
    rows = b"2024-01-01\n2024-01-02\n"
    assert server.post(rows, query=query.format(1)).status_code == 500
    assert server.post(rows, query=query.format(2) + "\n").status_code == 200
    assert stored(server) == "2"


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", b"INSERT INTO failing.t VALUES (1, 1);(2, 2),(3, 3)"),
        ("", b"INSERT INTO failing.t VALUES (1, 1);INSERT INTO failing.t VALUES (2, 2)"),
        ("", b"INSERT INTO failing.t VALUES (1, 1),(2, 2); SELECT 1"),
        ("", b"INSERT INTO failing.t FORMAT Values (1, 1) /* ; */;; -- two"),
        ("INSERT INTO failing.t VALUES", b"(1, length('a;'));(2, 2),(3, 3)"),
    ],
)
def test_values_after_a_semicolon_are_refused(
    server: Embedded, database: str, query: str, body: bytes
) -> None:
    make(server)
    answer = server.post(body, query=query)
    assert answer.status_code == 500
    assert "Cannot read data after semicolon" in answer.text
    assert code_of(answer) == Code.CANNOT_READ_ALL_DATA
    assert stored(server) == "0"


@pytest.mark.parametrize("end", ["", ";", "; ", ";\n-- done; really\n", "; /* ; */ # ;"])
def test_blanks_and_comments_may_follow_values(server: Embedded, database: str, end: str) -> None:
    make(server)
    server.sql(f"INSERT INTO failing.t VALUES (1, length(';')), (2, 2){end}")
    assert stored(server) == "2"
