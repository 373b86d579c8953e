"""One real Kafka and ClickHouse for all end-to-end tests, and a job's own place on it for each."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.support import Place, free_ports, wait_until


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Kafka and ClickHouse on free ports; they end with the tests, even when those are killed."""
    place = Place.new(tmp_path_factory.mktemp("stack"))
    place.start("local", "up", "--foreground").wait_line("Ctrl-C stops them")
    yield place
    place.clear()


def empty(stack: Place, table: str) -> None:
    wait_until(lambda: stack.ask(f"TRUNCATE TABLE {table}") == [], "ClickHouse answers")


@pytest.fixture
def place(stack: Place, tmp_path: Path) -> Iterator[Place]:
    """A topic, a folder and a port for Flink of its own, on the shared stack, with empty tables."""
    wait_until(stack.has_servers, "the shared stack runs")
    for table in ("stocks.ticks", "stocks.candles_1m", "stocks.alerts", "stocks.dead_letters"):
        empty(stack, table)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    own = (
        Place(tmp_path, stack.names)
        .having(
            DATA_DIR=tmp_path / "var",
            KAFKA__TOPIC=f"ticks-{uuid.uuid4().hex[:8]}",
            FLINK__REST_PORT=free_ports(1)[0],
        )
        .within({"TMPDIR": str(temporary)})
    )
    own.make_topic()
    yield own
    own.clear()
    assert [*temporary.iterdir()] == [], "all that a run unpacks is in its data folder"
