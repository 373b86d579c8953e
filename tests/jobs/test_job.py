import shutil
from pathlib import Path

import msgspec
import pytest

from jobs import job
from jobs.run import stopping
from lib import conf
from lib.errors import JobError
from lib.sqlfiles import SqlFile


def version(*texts: str) -> str:
    return job.version([SqlFile(1, "view", "x", "x.sql", text) for text in texts])


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a,  'b c'\n\tFROM t",
        "-- One row.\nSELECT a, 'b c' FROM t",
        "SELECT a, /* it's */ 'b c' -- '\nFROM t\n",
        "/* x */-- y\nSELECT a, 'b c'/**/FROM t",
    ],
)
def test_comments_and_white_space_make_no_version(text: str) -> None:
    assert version(text) == version("SELECT a, 'b c' FROM t")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a, 'b  c' FROM t",
        "SELECT a, 'b\nc' FROM t",
        "SELECT a, 'b c ' FROM t",
        "SELECT a, 'b -- c' FROM t",
        "SELECT a, 'b/* */ c' FROM t",
        "SELECT A, 'b c' FROM t",
        "SELECT a, 'b c' FROM `t `",
    ],
)
def test_strings_and_names_make_a_version(text: str) -> None:
    assert version(text) != version("SELECT a, 'b c' FROM t")


def test_strings_that_look_like_comments_are_compared() -> None:
    assert version("SELECT '--a'") != version("SELECT '--b'")
    assert version("SELECT '/*a*/'") != version("SELECT '/*b*/'")


def test_order_and_number_of_files_make_a_version() -> None:
    assert len({version("a", "b"), version("b", "a"), version("a b"), version("a")}) == 4


def test_a_job_has_the_calls_topics_and_version_of_its_files(tmp_path: Path) -> None:
    config = msgspec.structs.replace(conf.load(environ={}), data_dir=tmp_path)
    stocks = job.load(config, "stocks")
    assert stocks.name == "stocks" and stocks.files[0].number == 100
    assert stocks.topics == (config.kafka.topic,) and stocks.reads_committed
    assert [call.target.table for call in stocks.calls] == [
        "stocks.ticks", "stocks.candles_1m", "stocks.alerts",
    ]  # fmt: skip
    assert stocks.state == tmp_path / "flink" / "stocks" / stocks.version
    assert stocks.state.parent == stocks.states


def job_with_options(folder: Path, text: str) -> job.Job:
    sql = folder / "sql"
    if not sql.exists():
        shutil.copytree(conf.ROOT / "sql", sql)
    (sql / "flink" / "stocks" / "flink.yaml").write_text(text)
    config = msgspec.structs.replace(conf.load(environ={}), data_dir=folder, sql_dir=sql)
    return job.load(config, "stocks")


def test_a_job_has_options_of_its_own_over_those_of_all_jobs(tmp_path: Path) -> None:
    loaded = job_with_options(tmp_path, "parallelism.default: 3\ntable.exec.state.ttl: 1 h\n")
    assert loaded.flink_options["parallelism.default"] == "3"
    assert loaded.flink_options["table.exec.state.ttl"] == "1 h"
    assert set(conf.flink_options()) <= set(loaded.flink_options)


@pytest.mark.parametrize(
    ("text", "is_other"),
    [
        ("parallelism.default: 3", False),
        ("table.exec.state.ttl: 1 h", False),
        ("table.exec.mini-batch.enabled: true", True),
    ],
)
def test_an_option_that_changes_the_plan_makes_a_version(
    tmp_path: Path, text: str, is_other: bool
) -> None:
    plain = job_with_options(tmp_path, "parallelism.default: 1")
    assert (job_with_options(tmp_path, text).version != plain.version) == is_other


@pytest.mark.parametrize("key", ["pipeline.name", "rest.port", "execution.checkpointing.dir"])
def test_an_option_of_the_runner_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(JobError, match=rf"flink\.yaml: {key} is set by the runner, .*leave it out"):
        job_with_options(tmp_path, f"{key}: x")


SINK = SqlFile(800, "sink", "inserted", "800.sql", "CREATE TABLE a.`inserted` (n INT)")


@pytest.mark.parametrize("name", ["inserted", "`inserted`", "a.inserted(n)", "a.`inserted`"])
def test_a_table_that_an_insert_fills_is_created_by_the_job(name: str) -> None:
    text = f"-- All, not inserted.\nINSERT INTO {name} SELECT 1"
    insert = SqlFile(900, "insert", "inserted", "900.sql", text)
    config = conf.load(environ={})
    assert len(job.of(config, "j", [SINK, insert]).files) == 2
    with pytest.raises(JobError) as error:
        job.of(config, "j", [insert])
    assert str(error.value) == (
        "900.sql: INSERT INTO inserted, which no file of the job creates; copy "
        "800_sink_inserted.sql from another job, or fix the name."
    )


@pytest.mark.parametrize("name", ["", ".", "..", "stocks/", "../flink/stocks"])
def test_a_path_is_refused_as_a_name(name: str) -> None:
    """It would have a lock and a saved state beside those of the same job."""
    refusal = "not a job's name; give the name of a folder in sql/flink/."
    with pytest.raises(JobError, match=refusal):
        job.load(conf.load(environ={}), name)
    with pytest.raises(JobError, match=refusal):
        stopping.stop(conf.load(environ={}), name, print)


def test_a_view_that_no_insert_reads_is_told(tmp_path: Path) -> None:
    sql = tmp_path / "sql"
    shutil.copytree(conf.ROOT / "sql", sql)
    config = msgspec.structs.replace(conf.load(environ={}), sql_dir=sql)
    assert job.load(config, "stocks").unread == []
    new = sql / "flink" / "stocks" / "460_view_forgotten.sql"
    new.write_text("-- One.\nCREATE TEMPORARY VIEW forgotten AS SELECT symbol FROM moves\n")
    assert [file.name for file in job.load(config, "stocks").unread] == ["forgotten"]
