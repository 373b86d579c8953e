"""The isolation level that the runner adds to a source file, and where a source begins."""

import pytest

from jobs.kafka import sources
from lib import sqlfiles
from lib.sqlfiles import SqlFile
from tests.conftest import ROOT

COMMITTED = "'properties.isolation.level' = 'read_committed'"
UNCOMMITTED = "'properties.isolation.level' = 'read_uncommitted'"


def file(options: str, kind: str = "source") -> SqlFile:
    text = f"-- A row.\nCREATE TEMPORARY TABLE t (a INT) WITH (\n{options}\n)"
    return SqlFile(100, kind, "t", f"sql/100_{kind}_t.sql", text)


@pytest.mark.parametrize(
    "options",
    [
        "'connector' = 'kafka',\n'topic' = 'a'",
        "'topic' = 'a', 'connector'='upsert-kafka' -- the newest",
        f"'topic' = 'a', -- {COMMITTED}, or {UNCOMMITTED}\n'connector' = 'kafka'",
        "-- 'connector' = 'kafka' needs\n'topic' = 'a',\n'connector' = 'kafka'",
    ],
)
def test_a_kafka_source_reads_committed_records(options: str) -> None:
    source = file(options)
    statement = sources.statement(source)
    assert COMMITTED in sqlfiles.without_comments(statement)
    assert statement.count("'kafka'") + statement.count("'upsert-kafka'") == 1
    assert statement.count("\n") == source.text.count("\n"), "Flink's errors name a line"


@pytest.mark.parametrize(
    "source",
    [
        file(f"'connector' = 'kafka', {UNCOMMITTED}"),
        file(f"'connector' = 'kafka', {COMMITTED}"),
        file("'connector' = 'datagen'"),
        file("'connector' = 'kafka'", "sink"),
    ],
)
def test_an_isolation_level_in_a_file_stays(source: SqlFile) -> None:
    assert sources.statement(source) == source.text


def test_a_job_that_reads_uncommitted_records_is_recognized() -> None:
    assert sources.reads_uncommitted([file(f"'connector' = 'kafka', {UNCOMMITTED}")])
    assert not sources.reads_uncommitted([file(f"{COMMITTED} -- {UNCOMMITTED}")])


def test_each_source_of_the_project_sets_its_isolation_level() -> None:
    for path in (ROOT / "sql" / "flink").glob("*/*_source_*.sql"):
        assert COMMITTED in sqlfiles.without_comments(path.read_text()), path


EARLIEST = "'connector' = 'kafka', 'scan.startup.mode' = 'earliest-offset'"


@pytest.mark.parametrize(
    ("files", "is_first"),
    [
        ([file(EARLIEST)], True),
        (
            [
                file(EARLIEST),
                file("'connector' = 'datagen'"),
                file("'connector' = 'kafka'", "sink"),
            ],
            True,
        ),
        ([file(EARLIEST), file("'connector' = 'kafka', 'scan.startup.mode' = 'timestamp'")], False),
        ([file("'connector' = 'kafka' -- 'scan.startup.mode' = 'earliest-offset'")], False),
    ],
)
def test_a_job_that_reads_each_topic_from_its_first_record_is_recognized(
    files: list[SqlFile], is_first: bool
) -> None:
    assert sources.begin_first(files) is is_first


def test_a_bounded_source_reads_the_other_topic_from_its_beginning_to_its_end() -> None:
    text = (
        "-- 'topic' = 'ticks'\nCREATE TABLE raw (a STRING) WITH ('connector' = 'kafka',"
        " 'topic' = 'ticks', 'scan.startup.mode' = 'group-offsets', 'format' = 'json')"
    )
    file = SqlFile(100, "source", "raw", "100_source_raw.sql", text)
    bounded = sources.bounded(file, "ticks", "other")
    assert bounded.topics == ["other"]
    assert "'connector' = 'kafka', 'scan.bounded.mode' = 'latest-offset'" in bounded.text
    assert bounded.text.count("'scan.startup.mode' = 'earliest-offset'") == 1
    assert "'properties.group.id' = 'other'" in bounded.text
    assert "'format' = 'json'" in bounded.text
    assert sources.bounded(file, "orders", "other") is file
