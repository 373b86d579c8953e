"""The time of a bundle in a job that runs in Flink's own cluster."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
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

NUMBERS = (
    "CREATE TEMPORARY TABLE numbers (number BIGINT)"
    " WITH ('connector' = 'datagen', 'rows-per-second' = '10')"
)
NOWHERE = "CREATE TEMPORARY TABLE nowhere (number BIGINT) WITH ('connector' = 'blackhole')"


@contextmanager
def running(folder: Path) -> Iterator[Any]:
    """Flink's cluster, which runs a job that calls Python."""
    config = conf.load()
    flink = structs.replace(config.flink, rest_port=ports.free(1)[0])
    config = structs.replace(config, data_dir=folder, flink=flink)
    options = environment.short_lived({**conf.flink_options(), bundles.OPTION: "10"})
    with gateway.running(folder, "bundles", options):
        tables = environment.create(config, "bundles", options)
        function = udf(lambda number: number, result_type=DataTypes.BIGINT(), func_type="pandas")
        tables.create_temporary_system_function("passed", function)
        tables.execute_sql(NUMBERS)
        tables.execute_sql(NOWHERE)
        client = tables.execute_sql(
            "INSERT INTO nowhere SELECT passed(number) FROM numbers"
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
    return {get_field_value(operator, "maxBundleTimeMills") for operator, _ in found}


def test_a_bundle_lasts_longer_while_batches_are_large(tmp_path: Path) -> None:
    batches = Batches()

    def has(time: int, rows: int) -> bool:
        batches.note(rows)
        return times(mini_cluster) == {time}

    with running(tmp_path) as mini_cluster:
        wait_until(lambda: times(mini_cluster) == {10})
        with bundles.adapting(mini_cluster, 10, batches):
            batches.note_open()
            wait_until(lambda: has(225, rows=22_500))
            # As after a restart: the operators of a task that begins have the option's time.
            for operator, field in bundles._operators(mini_cluster):
                field.setLong(operator, 10)
            batches.note_open()
            wait_until(lambda: has(225, rows=22_500))
            wait_until(lambda: has(10, rows=7))


def test_a_cluster_that_has_ended_does_not_end_the_adapting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    batches = Batches()
    with caplog.at_level("DEBUG"), bundles.adapting(None, 10, batches):
        for _ in range(2):
            caplog.clear()
            batches.note(5_000)
            wait_until(lambda: "the time of a bundle was not set" in caplog.text)


@pytest.mark.parametrize(
    ("rows", "current", "time"),
    [
        (0, 10, 10),
        (1_000, 10, 10),
        (5_000, 10, 50),
        (100_000, 500, 1_000),
        # Half as long at least, and the option's time at last.
        (7, 225, 112),
        (7, 14, 10),
        # About the same.
        (5_500, 50, 50),
        (4_000, 50, 50),
    ],
)
def test_the_time_follows_the_rows_of_the_last_batch(rows: int, current: int, time: int) -> None:
    assert bundles.milliseconds(10, rows, current) == time


def test_the_largest_batch_since_the_last_look_counts() -> None:
    batches = Batches()
    for rows in (3, 8, 5):
        batches.note(rows)
    assert [batches.take_largest(), batches.take_largest()] == [8, 0]


def test_the_shortest_time_is_that_of_the_option() -> None:
    assert bundles.shortest({bundles.OPTION: "10"}) == 10
    assert bundles.shortest({}) == 1_000


@pytest.mark.parametrize("value", ["50 ms", "0", "-1", "1.5", ""])
def test_a_time_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(JobError, match=r"^conf/flink.yaml: python.fn-execution.bundle.time: "):
        bundles.shortest({bundles.OPTION: value})
