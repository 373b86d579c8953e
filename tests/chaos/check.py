"""Checks that each record of a round is in the table where it belongs, once."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.load import ABORTED
from tests.chaos.stack import Stack
from tests.e2e import fuzz
from tests.e2e.support import Place, wait_until

# How long it may take until all that was sent is accounted for, in seconds.
SETTLE_LIMIT = 240.0

_OPTIMIZE = "OPTIMIZE TABLE stocks.ticks FINAL"
_COLLECTED = (
    "SELECT kafka_partition, max(collected_to) FROM stocks.collected_offsets FINAL"
    " WHERE writer = 'stocks/ticks' GROUP BY kafka_partition"
)
_PLACES = (
    "SELECT kafka_partition, kafka_offset, 'tick' FROM stocks.ticks FINAL"
    " UNION ALL SELECT kafka_partition, kafka_offset, stage FROM stocks.dead_letters FINAL"
)


@dataclass(frozen=True)
class Counts:
    """The records of a round, each of which is where it should be, once."""

    sent: int
    ticks: int
    dead_letters: int
    aborted: int
    # Rows of one key, which FINAL shows once and OPTIMIZE merges.
    merged: int


def settle(stack: Stack) -> None:
    """Return when the job has accounted for all records of the topic."""
    ends = wait_until(stack.servers.marks, "Kafka tells the ends of the topic")

    def is_done() -> bool:
        collected = dict(map(tuple, stack.servers.ask(_COLLECTED)))
        return all(collected.get(p, 0) >= end for p, (_, end) in enumerate(ends))

    wait_until(is_done, f"all records up to {ends} are accounted for", SETTLE_LIMIT)


def check(stack: Stack, file: Path, seen: set[tuple[int, int]], *options: str) -> Counts:
    """Compare what was sent with what is stored, and run `make audit` with these options; `seen`
    has the places of earlier rounds. Raise AssertionError if anything is lost, twice, or elsewhere.
    """
    merged = _audit(stack.programs, *options)
    sent = json.loads(file.read_text())
    outcomes = {(partition, offset): outcome for partition, offset, outcome in sent["places"]}
    found = defaultdict(list)
    for partition, offset, table in stack.servers.ask(_PLACES):
        if (partition, offset) not in seen:
            found[partition, offset].append(table)
    seen.update(found)
    wrong = {
        place: (outcome, found.get(place, []))
        for place, outcome in outcomes.items()
        if not _is_right(outcome, found.get(place, []))
    }
    assert not wrong, f"{len(wrong)} records are not where they should be: {[*wrong.items()][:5]}"
    aborted = sum(outcome == ABORTED for outcome in outcomes.values())
    total = len(outcomes) - aborted + sent["unplaced"]
    assert len(found) == total, f"{total} records were sent, {len(found)} are accounted for"
    tables = Counter(tables[0] for tables in found.values())
    ticks = tables.pop("tick", 0)
    return Counts(total, ticks, tables.total(), aborted, merged)


def _is_right(outcome: str, tables: list[str]) -> bool:
    if outcome == ABORTED:
        return not tables
    return len(tables) == 1 and outcome in (fuzz.ANY, tables[0])


def _audit(place: Place, *options: str) -> int:
    """Have `make audit` compare all; return how many rows FINAL merges."""
    partitions = _audited(place, *options)
    merged = sum(last - first + 1 for each in partitions for first, last in each["repeated"])
    if merged:
        place.ask(_OPTIMIZE)
        partitions = _audited(place, *options)
    wrong = [each for each in partitions if not each["is_complete"] or each["lost"]]
    assert not wrong, json.dumps(wrong)
    assert not sum(each["not_read"] for each in partitions), partitions
    return merged


def _audited(place: Place, *options: str) -> list[dict[str, Any]]:
    ended = place.run("jobs", "audit", "stocks", "--json", *options)
    assert ended.code in (0, 1), ended.err
    partitions: list[dict[str, Any]] = json.loads(ended.out)["partitions"]
    return partitions
