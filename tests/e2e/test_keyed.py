"""Which queries may fill a table that replaces rows: proved from the plans that Flink makes."""

import warnings

import pytest
from clickhouse_connect.driver.client import Client

from lib.errors import JobError
from lib.sqlfiles import SqlFile
from tests.e2e.planning import Check, check, java

with warnings.catch_warnings():
    # PyFlink warns about itself when it is imported.
    warnings.simplefilter("ignore")
    from jobs.plan import state_growth

__all__ = ["check", "java"]

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

SOURCE = SqlFile(
    110, "source", "trades", "110_source_trades.sql",
    """
    CREATE TEMPORARY TABLE trades
    (
        symbol STRING, price DOUBLE, volume BIGINT, traded_at TIMESTAMP(3),
        kafka_partition INT METADATA FROM 'partition' VIRTUAL,
        kafka_offset BIGINT METADATA FROM 'offset' VIRTUAL,
        sent_at AS PROCTIME(),
        WATERMARK FOR traded_at AS traded_at - INTERVAL '5' SECOND
    )
    WITH ('connector' = 'kafka', 'topic' = 'trades', 'properties.bootstrap.servers' = 'localhost:1',
        'scan.startup.mode' = 'earliest-offset', 'format' = 'json')
    """,
)  # fmt: skip
VIEW = SqlFile(
    210, "view", "bars", "210_view_bars.sql",
    """
    CREATE TEMPORARY VIEW bars AS
    SELECT symbol, window_start, window_end, window_time, MAX(price) AS high, COUNT(*) AS trades
    FROM TABLE(TUMBLE(TABLE trades, DESCRIPTOR(traded_at), INTERVAL '1' SECOND))
    GROUP BY symbol, window_start, window_end, window_time
    """,
)  # fmt: skip

COLUMNS = (
    "symbol LowCardinality(String), start DateTime64(3), end DateTime64(3), trades UInt64,"
    " high Float64, kafka_partition Int32, kafka_offset Int64, rule LowCardinality(String),"
    " inserted_by LowCardinality(String), inserted_at DateTime64(3) DEFAULT now64(3)"
)

MINUTE, SECOND = "INTERVAL '1' MINUTE", "INTERVAL '1' SECOND"
COUNTS = "(SELECT symbol, COUNT(*) AS trades, MAX(price) AS high FROM trades GROUP BY symbol)"


def window(name: str, *sizes: str, time: str = "traded_at", each: str = "") -> str:
    """One row for each symbol and window."""
    arguments = ", ".join((f"TABLE trades{each}", f"DESCRIPTOR({time})", *sizes))
    return (
        "(SELECT symbol, window_start, window_end, COUNT(*) AS trades, MAX(price) AS high"
        f" FROM TABLE({name}({arguments})) GROUP BY symbol, window_start, window_end)"
    )


def match(measures: str, pattern: str = "A B+", skip: str = "PAST LAST ROW") -> str:
    """One row for each match in the bars of a symbol."""
    return (
        f"bars MATCH_RECOGNIZE (PARTITION BY symbol ORDER BY window_time MEASURES {measures}"
        f" ONE ROW PER MATCH AFTER MATCH SKIP {skip} PATTERN ({pattern}) WITHIN {MINUTE}"
        " DEFINE B AS B.high < A.high)"
    )


def insert(target: str, values: str, source: str) -> str:
    return f"SELECT clickhouse_insert('{{database}}.t {target}', {values}) FROM {source}"


def first(order: str) -> str:
    place = f"ROW_NUMBER() OVER (PARTITION BY symbol ORDER BY {order})"
    return f"(SELECT * FROM (SELECT *, {place} AS place FROM trades) WHERE place = 1)"


LAST_B = "LAST(B.window_end) AS e"


def united(*rules: str) -> str:
    """The matches of a pattern, under several names, from which the sink is called once."""
    parts = (f"SELECT '{rule}' AS rule, symbol, e FROM {match(LAST_B)}" for rule in rules)
    return f"({' UNION ALL '.join(parts)}) a CROSS JOIN UNNEST(ARRAY[a.rule]) AS b (c)"


# Two kinds of rows. Flink cannot move a condition on the kind below the OVER window.
MARKED = """
    (SELECT symbol, e, is_bar, kind, MAX(high) OVER (PARTITION BY symbol ORDER BY m) AS high FROM (
        SELECT symbol, window_end AS e, window_time AS m, TRUE AS is_bar, 'bar' AS kind, high
        FROM bars UNION ALL
        SELECT symbol, window_end AS e, window_time AS m, FALSE AS is_bar, 'row' AS kind, high
        FROM bars))
"""
RULED = "(rule, symbol, end)", "rule, symbol, e"
STARTED = "(symbol, start, trades)", "symbol, window_start, trades"
ENDED = "(symbol, end, trades)", "symbol, window_end, trades"
COUNTED = "(symbol, trades, high)", "symbol, trades, high"
MATCHED = "(symbol, end)", "symbol, e"
PRICED = "(symbol, high)", "symbol, price"
TUMBLING = window("TUMBLE", MINUTE)
REPLACING, VERSIONED = "ReplacingMergeTree", "ReplacingMergeTree(trades)"
PAIRS = (
    f"{TUMBLING} a JOIN {TUMBLING} b ON a.symbol = b.symbol AND a.window_start = b.window_start"
    " AND a.window_end = b.window_end"
)
EACH_SYMBOL = " PARTITION BY symbol"


def make(client: Client, database: str, engine: str, key: str, more: str = "") -> None:
    # Without it AggregatingMergeTree refuses columns that are neither in ORDER BY nor aggregated.
    setting = " SETTINGS allow_dimensions_outside_sorting_key = 1" if "Aggr" in engine else ""
    client.command(
        f"CREATE TABLE {database}.t ({COLUMNS}{more}) ENGINE = {engine} ORDER BY ({key}){setting}"
    )


@pytest.mark.parametrize(
    ("engine", "key", "select"),
    [
        (REPLACING, "symbol, start", insert(*STARTED, TUMBLING)),
        (REPLACING, "toDate(start), symbol, start", insert(*STARTED, TUMBLING)),
        (REPLACING, "inserted_by, symbol, end", insert(*ENDED, window("HOP", SECOND, MINUTE))),
        (REPLACING, "symbol, end", insert(*ENDED, window("CUMULATE", SECOND, MINUTE))),
        (
            REPLACING,
            "symbol, start",
            insert(*STARTED, window("SESSION", MINUTE, each=EACH_SYMBOL)),
        ),
        ("AggregatingMergeTree", "symbol, end", insert(*ENDED, TUMBLING)),
        (VERSIONED, "symbol", insert(*COUNTED, COUNTS)),
        ("ReplacingMergeTree(high)", "symbol", insert(*COUNTED, COUNTS)),
        (
            REPLACING,
            "rule, symbol, end",
            insert("(rule, symbol, end)", "'fall', symbol, e", match(LAST_B)),
        ),
        (REPLACING, "symbol, end", insert(*MATCHED, match(LAST_B, "A C* B"))),
        (REPLACING, "symbol", insert(*PRICED, first("traded_at"))),
        (
            REPLACING,
            "symbol, start, end",
            insert("(symbol, start, end)", "a.symbol, a.window_start, b.window_end", PAIRS),
        ),
        (REPLACING, "rule, symbol, end", insert(*RULED, united("fall", "rise", "burst"))),
        (REPLACING, "symbol, end", insert(*MATCHED, MARKED + " WHERE is_bar")),
        (REPLACING, "symbol, end", insert(*MATCHED, MARKED + " WHERE kind = 'bar' AND high > 1")),
        # Nothing is replaced, so that no key is needed.
        ("MergeTree", "symbol", insert(*STARTED, TUMBLING)),
    ],
)  # fmt: skip
def test_a_row_that_is_written_again_replaces_itself(
    check: Check, client: Client, database: str, engine: str, key: str, select: str
) -> None:
    make(client, database, engine, key)
    check(select.replace("{database}", database), files=(SOURCE, VIEW), client=client)


@pytest.mark.parametrize(
    ("engine", "key", "select", "fact"),
    [
        (
            REPLACING,
            "symbol",
            insert(*STARTED, TUMBLING),
            r"the query's key is \(symbol, start\); make that the ORDER BY",
        ),
        (
            REPLACING,
            "symbol, start",
            insert(*STARTED, window("CUMULATE", SECOND, MINUTE)),
            "a column of the key is left out, or changed",
        ),
        (
            REPLACING,
            "symbol, start",
            insert(*STARTED, window("TUMBLE", MINUTE, time="sent_at")),
            "column start is in ORDER BY, and may have another value",
        ),
        (
            REPLACING,
            "symbol, start, trades",
            insert(*STARTED, TUMBLING),
            "column trades is in ORDER BY, and may have another value",
        ),
        (
            REPLACING,
            "symbol, start, inserted_at",
            insert(*STARTED, TUMBLING),
            "column inserted_at is in ORDER BY and not in the target",
        ),
        (
            REPLACING,
            "symbol, start",
            insert("(symbol, start)", "symbol, FLOOR(window_start TO HOUR)", TUMBLING),
            "a column of the key is left out, or changed",
        ),
        # Several trades have the same time.
        (
            REPLACING,
            "symbol, start",
            insert("(symbol, start)", "symbol, traded_at", "trades"),
            "a column of the key is left out, or changed",
        ),
        (
            REPLACING,
            "symbol, end",
            insert(*MATCHED, match(LAST_B, skip="TO NEXT ROW")),
            "MATCH_RECOGNIZE needs AFTER MATCH SKIP PAST LAST ROW",
        ),
        (
            REPLACING,
            "symbol, end",
            insert(*MATCHED, match("LAST(C.window_end) AS e", "A C* B")),
            "LAST row of a variable that each match has",
        ),
        (
            REPLACING,
            "symbol, end",
            insert(*MATCHED, match("LAST(B.window_end, 1) AS e")),
            "LAST row of a variable that each match has",
        ),
        (
            "MergeTree",
            "symbol",
            insert(*COUNTED, COUNTS),
            r"its rows are updated, and MergeTree keeps each version",
        ),
        (REPLACING, "symbol", insert(*COUNTED, COUNTS), "has no version in the target"),
        (
            VERSIONED,
            "symbol",
            insert("(symbol, trades)", "symbol, 100 - trades", COUNTS),
            "column trades is the version of ReplacingMergeTree, and nothing shows",
        ),
        ("AggregatingMergeTree", "symbol", insert(*COUNTED, COUNTS), "would mix"),
        (REPLACING, "symbol", insert(*PRICED, first("price DESC")), r"rows would change once"),
        (REPLACING, "symbol", insert(*PRICED, first("traded_at DESC")), r"rows would change once"),
        (
            VERSIONED,
            "symbol",
            insert(*COUNTED, f"{COUNTS} WHERE trades > 3"),
            r"rows would change once stored \(UPDATE_BEFORE\)",
        ),
        (
            REPLACING,
            "rule, symbol, end",
            insert(*RULED, united("fall", "rise", "fall")),
            "no column is another constant in each part of UNION ALL",
        ),
        (
            REPLACING,
            "symbol, end",
            insert(*MATCHED, united("fall", "rise")),
            r"a column of the key is left out, or changed",
        ),
        (
            REPLACING,
            "rule, symbol, end",
            insert(*RULED, united("fall", "rise").replace("ARRAY[", "ARRAY['x', ")),
            "the key of Flink's operator correlate is not known",
        ),
        (
            REPLACING,
            "symbol, end",
            insert(*MATCHED, MARKED + " WHERE is_bar OR high > 1"),
            "a column of the key is left out, or changed",
        ),
        (
            REPLACING,
            "symbol, end",
            insert(*MATCHED, MARKED + " WHERE kind <> 'bar'"),
            "a column of the key is left out, or changed",
        ),
        (
            f"{REPLACING} PARTITION BY toDate(end)",
            "symbol, start",
            insert("(symbol, start, end)", "symbol, window_start, window_end", TUMBLING),
            "column end is in PARTITION BY and not in ORDER BY",
        ),
    ],
)
def test_rows_that_could_replace_others_or_stay_twice_are_refused(
    check: Check, client: Client, database: str, engine: str, key: str, select: str, fact: str
) -> None:
    make(client, database, engine, key)
    with pytest.raises(JobError, match=rf"^900_insert_ticks\.sql:1: .*{fact}") as error:
        check(select.replace("{database}", database), files=(SOURCE, VIEW), client=client)
    assert len(error.value.lines) == 1


def test_a_table_that_is_not_there_is_reported_as_that_alone(
    check: Check, client: Client, database: str
) -> None:
    select = insert(*COUNTED, COUNTS).replace("{database}", database)
    with pytest.raises(JobError, match=r"\.t: table not found in ClickHouse") as error:
        check(select, files=(SOURCE, VIEW), client=client)
    assert len(error.value.lines) == 1


def test_an_aggregating_column_that_counts_twice_is_refused(
    check: Check, client: Client, database: str
) -> None:
    total = ", total SimpleAggregateFunction(sum, Float64), most SimpleAggregateFunction(max, Int8)"
    make(client, database, "AggregatingMergeTree", "symbol, start", total)
    with pytest.raises(JobError, match=r"column total is SimpleAggregateFunction\(sum, Float64\)"):
        check(
            insert(*STARTED, TUMBLING).replace("{database}", database),
            files=(SOURCE, VIEW),
            client=client,
        )


@pytest.mark.parametrize(
    ("key", "rules", "is_refused"),
    [
        ("rule, symbol, end", ("rise", "fall"), False),
        ("rule, symbol, end", ("fall", "fall"), True),
        ("rule, symbol, end, inserted_by", ("fall", "fall"), False),
    ],
)
def test_two_inserts_into_one_table_must_be_told_apart(
    check: Check,
    client: Client,
    database: str,
    key: str,
    rules: tuple[str, ...],
    is_refused: bool,
) -> None:
    make(client, database, REPLACING, key)
    selects = [
        insert(f"(rule, symbol, end) AS w{number}", f"'{rule}', symbol, e", match(LAST_B))
        for number, rule in enumerate(rules)
    ]
    selects = [select.replace("{database}", database) for select in selects]
    if not is_refused:
        check(*selects, files=(SOURCE, VIEW), client=client)
        return
    with pytest.raises(
        JobError, match=r"^901_insert_ticks\.sql:1: its rows could replace those of"
    ):
        check(*selects, files=(SOURCE, VIEW), client=client)


@pytest.mark.parametrize(
    ("source", "fact"),
    [
        (f"SELECT clickhouse_insert('a.b (symbol, n)', symbol, trades) FROM {COUNTS}", "symbol"),
        (f"SELECT clickhouse_insert('a.b (symbol)', symbol) FROM {first('traded_at')}", "symbol"),
        (
            "SELECT clickhouse_insert('a.b (symbol)', a.symbol) FROM trades a JOIN bars b"
            " ON a.symbol = b.symbol",
            "all rows",
        ),
        (
            "SELECT clickhouse_insert('a.b (symbol)', symbol)"
            f" FROM {match(LAST_B).replace(f'WITHIN {MINUTE}', '')}",
            "MATCH_RECOGNIZE without WITHIN",
        ),
    ],
)
def test_state_that_nothing_removes_is_reported(check: Check, source: str, fact: str) -> None:
    job, plan = check(source, files=(SOURCE, VIEW))
    (notice,) = state_growth.notices(plan, job.calls, "flink.yaml")
    assert notice.startswith("900_insert_ticks.sql:1: ") and fact in notice
    assert notice.endswith("= '1d') */, or set table.exec.state.ttl in flink.yaml.")


@pytest.mark.parametrize(
    "source",
    [
        TUMBLING,
        match(LAST_B),
        "trades",
        "(SELECT /*+ STATE_TTL('trades' = '1d') */ symbol, COUNT(*) FROM trades GROUP BY symbol)",
    ],
)
def test_state_that_ends_is_not_reported(check: Check, source: str) -> None:
    select = f"SELECT clickhouse_insert('a.b (symbol)', symbol) FROM {source}"
    job, plan = check(select, files=(SOURCE, VIEW))
    assert [*state_growth.notices(plan, job.calls, "flink.yaml")] == []
