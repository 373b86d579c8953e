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
from jobs.sink import batch_sizes
from lib import conf, ports
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
    """The times that Flink's operators have now, in milliseconds."""
    found = bundles._operators(mini_cluster)
    return {get_field_value(operator, "maxBundleTimeMills") for operator, _ in found}


def test_a_bundle_lasts_longer_while_batches_are_large(tmp_path: Path) -> None:
    rows: list[int | None] = [None]
    with running(tmp_path) as mini_cluster:
        wait_until(lambda: times_if_any(mini_cluster) == {10})
        with bundles.adapting(mini_cluster, {bundles.OPTION: "10"}, lambda: rows[0]):
            rows[0] = 25_000
            wait_until(lambda: times(mini_cluster) == {250})
            rows[0] = None
            # A task that Flink restarts has the option's again.
            for operator, field in bundles._operators(mini_cluster):
                field.setLong(operator, 10)
            rows[0] = 25_000
            wait_until(lambda: times(mini_cluster) == {250})
            rows[0] = 7
            wait_until(lambda: times(mini_cluster) == {10})


def times_if_any(mini_cluster: Any) -> set[int]:
    """The same, while the tasks may not run yet."""
    try:
        return times(mini_cluster)
    except bundles._ERRORS:
        return set()


@pytest.mark.parametrize(
    ("rows", "time"), [(0, 10), (1_000, 10), (5_000, 50), (25_000, 250), (99, 10)]
)
def test_the_time_is_that_of_the_rows_and_never_shorter_than_the_option(
    rows: int, time: int
) -> None:
    assert bundles.milliseconds(10, rows) == time


def test_the_largest_batch_since_the_last_look_counts() -> None:
    for rows in (3, 8, 5):
        batch_sizes.note("a job", rows)
    batch_sizes.note("another", 99)
    assert batch_sizes.take_largest("a job") == 8
    assert batch_sizes.take_largest("a job") is None
