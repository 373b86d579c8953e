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
    assert [call.target.table for call in stocks.calls] == ["stocks.ticks"]
    assert stocks.state == tmp_path / "flink" / "stocks" / stocks.version
    assert stocks.state.parent == stocks.states


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
