"""The plans that Flink makes of inserts, those that are refused, and which ticks the view takes."""

import shutil
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client

from jobs import job as jobs
from jobs.sink import columns
from jobs.targets import types
from lib import conf, ports, sql_variables, sqlfiles
from lib.errors import JobError
from lib.sqlfiles import SqlFile
from producer.tick import Tick
from tests import documents
from tests.e2e import corpus
from tests.e2e.planning import Check, check, java

__all__ = ["check", "java"]

with warnings.catch_warnings():
    # PyFlink warns about itself when it is imported.
    warnings.simplefilter("ignore")
    from pyflink.java_gateway import get_gateway

    from jobs.plan import build, environment, watermarks
    from jobs.plan import check as checks

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

COLUMNS = "symbol, kafka_partition, kafka_offset, kafka_timestamp"
CALL = f"clickhouse_insert('stocks.ticks ({COLUMNS})', {COLUMNS})"


def test_no_other_thread_uses_the_thread_of_java_that_plans(check: Check) -> None:
    check(f"SELECT {CALL} FROM valid_ticks")

    def java_thread() -> int:
        number: int = get_gateway().jvm.java.lang.Thread.currentThread().getId()
        return number

    own = java_thread()
    with ThreadPoolExecutor(1) as other:
        assert other.submit(java_thread).result() != own
    assert java_thread() == own


def test_a_plain_insert_is_called_once_in_order(check: Check) -> None:
    check(f"SELECT {CALL} FROM valid_ticks WHERE price > 5")


@pytest.mark.parametrize(
    ("select", "fact"),
    [
        (
            "SELECT clickhouse_insert('stocks.g (symbol, ticks)', symbol, COUNT(*))"
            " FROM valid_ticks GROUP BY symbol HAVING COUNT(*) > 1",
            r"rows would change once stored \(UPDATE_BEFORE\)",
        ),
        (
            f"SELECT {CALL} FROM (SELECT *, ROW_NUMBER() OVER"
            " (PARTITION BY symbol ORDER BY now) AS place FROM"
            " (SELECT *, PROCTIME() AS now FROM valid_ticks)) WHERE place = 1",
            "lose their order",
        ),
        (
            f"SELECT {CALL} FROM"
            " (SELECT * FROM valid_ticks UNION ALL SELECT * FROM other_valid_ticks)",
            "Flink would call clickhouse_insert 2 times",
        ),
        (f"SELECT {CALL} * 0 FROM valid_ticks WHERE FALSE", "call clickhouse_insert 0 times"),
    ],
)
def test_a_plan_that_could_lose_or_double_rows_is_refused(
    check: Check, select: str, fact: str
) -> None:
    with pytest.raises(JobError, match=rf"^900_insert_ticks\.sql:1: .*{fact}"):
        check(select)


@pytest.mark.parametrize("name", ["stocks", "sensors"])
def test_a_job_with_the_files_of_the_documents_has_a_plan(
    java: None, tmp_path: Path, name: str
) -> None:
    """docs/writing-sql.md has the reader copy the sink of the stock job."""
    sql = documents.write_sql(tmp_path)
    if name != "stocks":
        shutil.copy(sql / "flink" / "stocks" / "800_sink_inserted.sql", sql / "flink" / name)
    config = msgspec.structs.replace(conf.load(environ={}), data_dir=tmp_path, sql_dir=sql)
    job = jobs.load(config, name)
    _, plan = build.build(config, job, conf.flink_options())
    checks.check(plan, job.calls, None)


def test_a_watermark_that_is_the_clock_is_told(check: Check) -> None:
    late = "SELECT symbol, COUNT(*) FROM checked_ticks WHERE is_late GROUP BY symbol"
    select = f"SELECT clickhouse_insert('s.t (a, b)', a, b) FROM ({late}) AS l (a, b)"
    batches = {
        "table.exec.mini-batch.enabled": "true",
        "table.exec.mini-batch.allow-latency": "250 ms",
        "table.exec.mini-batch.size": "1000",
    }
    job, plan = check(select, options=batches)
    (notice,) = watermarks.notices(plan, job.calls, "flink.yaml")
    assert notice.startswith("900_insert_ticks.sql:1: CURRENT_WATERMARK is the time of the clock")
    job, plan = check(select)
    assert [*watermarks.notices(plan, job.calls, "flink.yaml")] == []


def test_a_call_in_a_condition_is_refused(check: Check) -> None:
    with pytest.raises(JobError, match=r"900_insert_ticks\.sql: clickhouse_insert .* come first"):
        check(f"SELECT volume FROM valid_ticks WHERE {CALL} = 1 AND price > 5")


def test_two_calls_in_one_insert_are_refused(check: Check) -> None:
    with pytest.raises(JobError, match=r"900_insert_ticks\.sql: .* more than once"):
        check(f"SELECT {CALL} + {CALL} FROM valid_ticks")


@pytest.mark.parametrize(
    ("select", "fact"),
    [
        ("SELECT missing FROM valid_ticks", "Column 'missing' not found in any table"),
        (
            f"SELECT {CALL.removesuffix('kafka_timestamp)')}missing) FROM valid_ticks",
            "Column 'missing' not found in any table",
        ),
        (
            "SELECT symbol FROM valid_ticks",
            r"inserted' do not match: .*'stored' at position 1: .+ for \[stored: BIGINT\]",
        ),
        (f"SELECT {CALL}, symbol FROM valid_ticks", "Different number of columns: "),
    ],
)
def test_what_flink_refuses_is_told_with_its_file(check: Check, select: str, fact: str) -> None:
    said = rf"^900_insert_ticks\.sql: Flink refuses it: .*{fact}.*; correct the file\.$"
    with pytest.raises(JobError, match=said):
        check(select)


@pytest.mark.parametrize(
    ("select", "word"),
    [
        ("SELECT clickhouse_insert('a.b (symbol)', open) FROM valid_ticks", "open"),
        ("SELECT clickhouse_insert('a.b (symbol)', t.start) FROM valid_ticks t", "start"),
        ("SELECT clickhouse_insert('a.b (symbol)', symbol) FROM valid_ticks WHERE end > 3", "end"),
    ],
)
def test_a_reserved_word_is_reported_as_one(check: Check, select: str, word: str) -> None:
    said = f"{word} is a reserved word: as a name put it in backquotes, `{word}`\\.$"
    with pytest.raises(JobError, match=rf"^900_insert_ticks\.sql: Flink refuses it: .*{said}"):
        check(select)


def test_a_word_that_is_no_name_is_not_reported_as_reserved(check: Check) -> None:
    with pytest.raises(JobError, match=r'Encountered "FROM" at .*; correct the file\.$'):
        check("SELECT clickhouse_insert('a.b (symbol)', symbol FROM valid_ticks")
    with pytest.raises(JobError, match=r'Encountered "price" at .*; correct the file\.$'):
        check("SELECT clickhouse_insert('a.b (symbol)', symbol price) FROM valid_ticks")


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        ("'connector' = 'kafkaa'", "'kafkaa'"),
        ("'connector' = 'kafka', 'format' = 'jsonn', 'topic' = 'x'", "'jsonn'"),
        ("'connector' = 'datagen', 'rows' = '1'", "Unsupported options found for 'datagen': rows"),
    ],
)
def test_a_connector_that_cannot_be_made_is_told_with_the_file_of_its_table(
    check: Check, options: str, fact: str
) -> None:
    text = f"CREATE TEMPORARY TABLE trades (symbol STRING) WITH ({options})"
    source = SqlFile(110, "source", "trades", "110_source_trades.sql", text)
    with pytest.raises(JobError, match=rf"^110_source_trades\.sql: Flink refuses it: .*{fact}"):
        check("SELECT clickhouse_insert('a.b (symbol)', symbol) FROM trades", files=(source,))


TYPES = (
    "a Int64, b UUID, c Map(String, Int64), d Array(Tuple(a Int64)), e DateTime64(9, 'UTC'),"
    " f Enum8('x' = 1), g Nullable(Int8), h Int8"
)


def test_values_that_their_columns_take_are_right(
    check: Check, client: Client, database: str
) -> None:
    client.command(f"CREATE TABLE {database}.t ({TYPES}) ENGINE = MergeTree ORDER BY a")
    check(
        f"SELECT clickhouse_insert('{database}.t (a, b, c, d, e, f, g, h)', volume, symbol,"
        " JSON_OBJECT('a' VALUE volume), '[[1]]', `timestamp`, 'x', CAST(NULL AS INT), 5)"
        " FROM valid_ticks",
        client=client,
    )


def test_values_that_their_columns_do_not_take_are_told_at_once(
    check: Check, client: Client, database: str
) -> None:
    client.command(f"CREATE TABLE {database}.t ({TYPES}) ENGINE = MergeTree ORDER BY a")
    with pytest.raises(JobError) as error:
        check(
            f"SELECT clickhouse_insert('{database}.t (a, b, c, d, e, f, g, h)', kafka_timestamp,"
            " price, MAP['a', volume], ARRAY[ROW(volume)],"
            " TIMESTAMP '2024-01-01 00:00:00', 'y', symbol, CAST(NULL AS INT)) FROM valid_ticks",
            client=client,
        )
    place = f"900_insert_ticks.sql:1: {database}.t: column "
    facts = [
        ("a Int64 cannot take TIMESTAMP", "; CAST it in the job's SQL."),
        ("b UUID cannot take DOUBLE", "; CAST it in the job's SQL."),
        ("c Map(String, Int64) cannot take MAP<", ", or hand it over as JSON text."),
        ("d Array(Tuple(`a` Int64)) cannot take ARRAY<", ", or hand it over as JSON text."),
        ("e DateTime64(9, 'UTC') cannot take TIMESTAMP", "; CAST it in the job's SQL."),
        ("f Enum8('x' = 1) cannot take y: the column has no such element", ""),
        ("h Int8: the column takes no NULL", ""),
    ]
    assert len(error.value.lines) == len(facts)
    for line, (fact, remedy) in zip(error.value.lines, facts, strict=True):
        assert line.startswith(f"{place}{fact}") and line.endswith(remedy)


SOURCE = """
CREATE TEMPORARY TABLE raw_ticks
(
    symbol STRING, price STRING, volume STRING, `timestamp` STRING,
    kafka_partition INT, kafka_offset BIGINT, kafka_timestamp TIMESTAMP_LTZ(3),
    event_time AS COALESCE(kafka_timestamp, TO_TIMESTAMP_LTZ(0, 3)),
    WATERMARK FOR event_time AS event_time
)
WITH ('connector' = 'filesystem', 'path' = '%s', 'format' = 'json')
"""


def checked(folder: Path, lines: list[str]) -> list[Tick | None]:
    """What the job makes of records, up to the table."""
    source = folder / "corpus.jsonl"
    numbered = (f'{line[:-1]}, "kafka_offset": {number}}}\n' for number, line in enumerate(lines))
    source.write_text("".join(numbered))
    names = {"MILLRACE_TICKS__SYMBOL_PATTERN": corpus.SYMBOL, "MILLRACE_DATA_DIR": str(folder),
             "MILLRACE_FLINK__REST_PORT": str(ports.free(1)[0])}  # fmt: skip
    config = conf.load(environ=names)
    options = conf.flink_options() | {"restart-strategy.type": "disable"}
    tables = environment.create(config, "ticks", options)
    tables.execute_sql(SOURCE % source.as_uri())
    view = config.sql_dir / "flink" / "stocks" / "200_view_checked_ticks.sql"
    tables.execute_sql(sql_variables.substitute(sqlfiles.read(view), config.variables()).text)
    select = "SELECT kafka_offset, reason, symbol, price, volume, `timestamp` FROM checked_ticks"
    # As one table of Arrow: collect() calls Java several times for each row.
    frame = tables.sql_query(select).to_pandas().sort_values("kafka_offset")
    assert len(frame) == len(lines)
    valid = frame[frame["reason"].isna()]
    kind = types.column("timestamp", "DateTime64(6, 'UTC')")
    texts = pa.array(valid["timestamp"], pa.string())
    times = columns.cast(kind, texts, len(valid)).to_pylist()
    rows = valid[["kafka_offset", "symbol", "price", "volume"]].itertuples(index=False)
    ticks: list[Tick | None] = [None] * len(lines)
    for (number, symbol, price, volume), time in zip(rows, times, strict=True):
        ticks[number] = Tick(symbol, price, int(volume), timestamp=time.replace(tzinfo=None))
    return ticks


def test_the_job_and_the_producer_take_the_same_ticks(java: None, tmp_path: Path) -> None:
    lines = list(corpus.records())
    found = checked(tmp_path, lines)
    pairs = zip(lines, found, corpus.produced(lines), strict=True)
    assert [pair for pair in pairs if pair[1] != pair[2]] == []
    taken = {line for line, tick in zip(lines, found, strict=True) if tick}
    for name in corpus.GOOD:
        for texts, is_valid in ((corpus.VALID, True), (corpus.INVALID, False)):
            records = {text: corpus.record(name, text) for text in texts[name]}
            wrong = [text for text, line in records.items() if (line in taken) != is_valid]
            assert wrong == [], name
