"""Rows that ClickHouse refuses: in a view they end the job, in the table they are dead letters."""

from collections.abc import Iterator

import pytest

from tests.e2e.support import Place, tick, ticks, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

VIEW = "CREATE MATERIALIZED VIEW stocks.shares_view TO stocks.per_share AS SELECT symbol, volume"


@pytest.fixture
def per_share(place: Place) -> Iterator[Place]:
    """A table that is filled from stocks.ticks by a view which divides by the volume."""
    place.ask(
        "CREATE TABLE stocks.per_share (symbol String, volume UInt32, value UInt32)"
        " ENGINE = MergeTree ORDER BY symbol SETTINGS non_replicated_deduplication_window = 1000"
    )
    place.ask(f"{VIEW}, intDiv(1000000, volume) AS value FROM stocks.ticks")
    yield place
    place.ask("DROP VIEW stocks.shares_view")
    place.ask("DROP TABLE stocks.per_share")
    place.ask("ALTER TABLE stocks.ticks DROP CONSTRAINT IF EXISTS few")


def test_a_view_that_refuses_rows_ends_the_job_and_a_constraint_makes_dead_letters(
    per_share: Place,
) -> None:
    place = per_share
    place.send(ticks(0, 11))
    error = place.run("jobs", "run", "stocks").error
    assert error.startswith("stocks.ticks: ClickHouse refuses the rows: ")
    assert "Division by zero" in error and "stocks.shares_view" in error
    place.ask("DROP VIEW stocks.shares_view")
    place.ask(f"{VIEW}, intDiv(1000000, greatest(volume, 1)) AS value FROM stocks.ticks")

    job = place.run_job()
    place.send(ticks(11, 20))
    place.wait_count(20, "stocks.per_share")
    place.ask("ALTER TABLE stocks.ticks ADD CONSTRAINT few CHECK volume < 20")
    place.send([tick(20)])
    letters = (
        "SELECT stage, reason FROM stocks.dead_letters FINAL"
        f" WHERE topic = '{place.topic}' AND inserted_by = 'stocks/ticks'"
    )
    ((stage, reason),) = wait_until(lambda: place.ask(letters), "a dead letter")
    assert stage == "sink" and "Constraint `few` for table stocks.ticks" in reason
    place.stop_job(job)
    for table in ("stocks.ticks", "stocks.per_share"):
        rows = place.ask(f"SELECT count(), uniqExact(volume), max(volume) FROM {table}")
        assert rows == [[20, 20, 19]]
