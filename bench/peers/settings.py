"""The variables that a benchmark starts a peer with. Each peer's environment imports it: the
standard library only."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Settings:
    """What to read, and where to insert."""

    servers: str
    topic: str
    # A consumer group, or the name of a saved state: new in each run, the same after a kill.
    group: str
    clickhouse: str
    table: str
    # A folder that is kept between a kill and the second start; the benchmark has files there too.
    state: Path

    @property
    def host(self) -> str:
        return urlsplit(self.clickhouse).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.clickhouse).port or 8123


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this run; raise KeyError for a variable that is missing."""
    return Settings(
        servers=environ["BENCH_SERVERS"],
        topic=environ["BENCH_TOPIC"],
        group=environ["BENCH_GROUP"],
        clickhouse=environ["BENCH_CLICKHOUSE"],
        table=environ["BENCH_TABLE"],
        state=Path(environ["BENCH_STATE"]),
    )
