"""The time of a bundle in a job that runs in Flink's own cluster."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from pyflink.table import DataTypes
from pyflink.table.udf import udf
from pyflink.util.java_utils import get_field_value

from jobs.flink import bundles, cluster, gateway
from jobs.flink.java_errors import JAVA_ERRORS
from jobs.plan import environment
from jobs.sink.batches import Batches
from lib import conf, ports
from lib.errors import JobError
from tests.conftest import wait_until

# A source that says when it waits, as Kafka's: each file is a row.
LINES = (
    "CREATE TEMPORARY TABLE lines (line STRING) WITH ("
    "'connector' = 'filesystem', 'path' = '{folder}', 'format' = 'raw',"
    " 'source.monitor-interval' = '50 ms')"
)
NOWHERE = "CREATE TEMPORARY TABLE nowhere (line STRING) WITH ('connector' = 'blackhole')"

# The seconds that each batch takes, for the threads of this process that are Flink's workers.
PAUSE = "TEST_BUNDLES_PAUSE"


def passed(line: Any) -> Any:
    time.sleep(float(os.environ.get(PAUSE, "0")))
    return line


@contextmanager
def running(folder: Path) -> Iterator[Any]:
    """Flink's cluster, which runs a job that calls Python."""
    config = conf.load()
    flink = structs.replace(config.flink, rest_port=ports.free(1)[0])
    config = structs.replace(config, data_dir=folder, flink=flink)
    options = environment.short_lived({**conf.flink_options(), bundles.TIME: "10"})
    with gateway.running(folder, "bundles", options):
        tables = environment.create(config, "bundles", options)
        function = udf(passed, result_type=DataTypes.STRING(), func_type="pandas")
        tables.create_temporary_system_function("passed", function)
        (folder / "lines").mkdir()
        tables.execute_sql(LINES.format(folder=folder / "lines"))
        tables.execute_sql(NOWHERE)
        client = tables.execute_sql(
            "INSERT INTO nowhere SELECT passed(line) FROM lines"
        ).get_job_client()
        assert client
        try:
            yield cluster.mini_cluster(client)
        finally:
            # Python's worker would report a Java that is killed while it runs.
            client.cancel().result()
            # Flink's cluster ends with the job.
            with suppress(*JAVA_ERRORS):
                client.get_job_execution_result().result()


def times(mini_cluster: Any) -> set[int]:
    """The times that Flink's operators have now, in milliseconds; none before they run."""
    try:
        found = bundles._operators(mini_cluster)
    except bundles._ERRORS:
        return set()
    return {get_field_value(each.operator, "maxBundleTimeMills") for each in found}


def test_bundles_last_longer_while_the_task_never_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = Batches()
    numbers = count()

    def are(is_right: Callable[[int], bool]) -> bool:
        (tmp_path / "lines" / f"{next(numbers)}").write_text("a line")
        batches.note()
        found = times(mini_cluster)
        return len(found) == 1 and all(map(is_right, found))

    with running(tmp_path) as mini_cluster:
        wait_until(lambda: times(mini_cluster) == {10})
        with bundles.adapting(mini_cluster, 10, batches):
            batches.note_open()
            monkeypatch.setenv(PAUSE, "2")
            wait_until(lambda: are(lambda milliseconds: milliseconds > 10))
            # As after a restart: the operators of a task that begins have the option's time.
            for each in bundles._operators(mini_cluster):
                each.field.setLong(each.operator, 10)
            batches.note_open()
            wait_until(lambda: are(lambda milliseconds: milliseconds > 10))
            monkeypatch.delenv(PAUSE)
            wait_until(lambda: are(lambda milliseconds: milliseconds == 10))


def test_a_cluster_that_has_ended_does_not_end_the_adapting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    batches = Batches()
    with caplog.at_level("DEBUG"), bundles.adapting(None, 10, batches):
        for _ in range(2):
            caplog.clear()
            batches.note()
            wait_until(lambda: "the time of a bundle was not set" in caplog.text)


@pytest.mark.parametrize(
    ("waited", "current", "time"),
    [
        (0.0, 10, 20),
        (0.05, 640, 1_000),
        (0.0, 1_000, 1_000),
        # In between a time is kept.
        (0.1, 40, 40),
        (0.3, 40, 40),
        # Half as long, and the option's time at last.
        (0.5, 225, 112),
        (1.0, 14, 10),
        (1.0, 10, 10),
    ],
)
def test_the_time_follows_how_long_the_busiest_task_waits(
    waited: float, current: int, time: int
) -> None:
    assert bundles.milliseconds(10, waited, current) == time


def test_the_busiest_task_counts_and_one_that_does_not_tell_is_left_out() -> None:
    assert bundles._share([100, 0, 40], [900, 0, 240], 2.0) == 0.1
    assert bundles._share([0], [0], 2.0) == 1.0


def test_an_option_above_the_longest_time_is_kept() -> None:
    assert bundles.milliseconds(5_000, 0.0, 5_000) == 5_000
    assert bundles.milliseconds(5_000, 1.0, 5_000) == 5_000


def test_whether_a_batch_was_stored_counts_once() -> None:
    batches = Batches()
    batches.note()
    assert [batches.take(), batches.take()] == [True, False]


def test_the_shortest_time_is_that_of_the_option() -> None:
    assert bundles.shortest({bundles.TIME: "10"}, str) == 10
    assert bundles.shortest({}, str) == 1_000


@pytest.mark.parametrize("value", ["50 ms", "0", "-1", "1.5", "", "9999999999"])
@pytest.mark.parametrize("option", ["bundle.time", "bundle.size", "arrow.batch.size"])
def test_an_option_that_is_no_number_is_refused(option: str, value: str) -> None:
    name = f"python.fn-execution.{option}"
    with pytest.raises(JobError, match=f"^a file: {name}: '{value}' is not a whole number of "):
        bundles.shortest({name: value}, lambda _: "a file")
