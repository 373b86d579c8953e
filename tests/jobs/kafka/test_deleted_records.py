"""The log of Kafka's client in Flink, with lines as seen there."""

from pathlib import Path

import pytest

from jobs.kafka import deleted_records
from jobs.kafka.deleted_records import ClientLog, LostRecords
from lib.kafka import Span

CLIENT = (
    "2026-11-26 14:36:51,287 INFO  org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer."
    "internals.SubscriptionState [] - [Consumer clientId=millrace-0, groupId=millrace]"
)
AT = (
    "offsetEpoch=Optional.empty, currentLeader=LeaderAndEpoch{leader=Optional[127.0.0.1:30907 "
    "(id: 1 rack: null isFenced: false)], epoch=0}}"
)


def splits(**offsets: int) -> str:
    listed = ", ".join(
        f"[Partition: a.b-{name[1:]}, StartingOffset: {offset}, StoppingOffset: -92]"
        for name, offset in offsets.items()
    )
    return f"x SourceReaderBase [] - Adding split(s) to reader: [{listed}]"


def seek(partition: int, strategy: str) -> str:
    return (
        f"{CLIENT} Seeking to AutoOffsetResetStrategy{{type={strategy}}} offset of partition "
        f"a.b-{partition}"
    )


def reset(partition: int, offset: int) -> str:
    return (
        f"{CLIENT} Resetting offset for partition a.b-{partition} to position "
        f"FetchPosition{{offset={offset}, {AT}."
    )


def deleted(partition: int, offset: int) -> str:
    return (
        f"{CLIENT} Fetch position FetchPosition{{offset={offset}, {AT} is out of range for "
        f"partition a.b-{partition}, resetting offset"
    )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "flink.log"


def look(log: Path, unread: dict[int, int], *lines: str) -> tuple[list[str], dict[int, int]]:
    """The lost records, and the start of each partition."""
    log.write_text("".join(f"{line}\n" for line in lines))
    gaps = {("a.b", 7): Span(10, 12)}
    client = ClientLog(log, {("a.b", number): at for number, at in unread.items()}, gaps)
    lost = [str(each).removeprefix("a.b, ") for each in client.read()]
    return lost, {number: offset for (_, number), offset in client.starts.items()}


def test_a_first_start_at_the_earliest_offset_has_lost_nothing(log: Path) -> None:
    lines = splits(p0=-2, p1=-2), seek(0, "earliest"), reset(0, 10), reset(1, 0)
    assert look(log, {}, *lines) == ([], {0: 10, 1: 0})


def test_a_start_from_saved_offsets_has_lost_records_deleted_since(log: Path) -> None:
    lines = splits(p0=60, p1=60), deleted(1, 60), reset(1, 110)
    assert look(log, {0: 60, 1: 60}, *lines) == (
        ["partition 1, offsets 60 to 109"],
        {0: 60, 1: 110},
    )


def test_a_start_from_the_sources_has_lost_records_that_no_run_has_read(log: Path) -> None:
    lines = splits(p0=-2, p1=-2, p2=-2), reset(0, 100), reset(1, 100), reset(2, 0)
    assert look(log, {0: 99, 1: 100, 2: 50}, *lines)[0] == ["partition 0, offset 99"]


def test_records_that_another_version_of_the_job_has_read_are_not_lost(log: Path) -> None:
    assert look(log, {0: 50}, splits(p0=10), deleted(0, 10), reset(0, 40))[0] == []


def test_records_deleted_while_a_job_is_behind_are_lost(log: Path) -> None:
    lines = [splits(p0=0), deleted(0, 10), reset(0, 20), deleted(0, 25), reset(0, 30)]
    ranges = ["partition 0, offsets 10 to 19", "partition 0, offsets 25 to 29"]
    assert look(log, {}, *lines) == (ranges, {0: 30})
    # Flink restarts from a checkpoint before that: what it does not cover may not be stored.
    again = [splits(p0=5), deleted(0, 5), reset(0, 32)]
    ranges.append("partition 0, offsets 5 to 31")
    assert look(log, {}, *lines, *again) == (ranges, {0: 32})


def test_offsets_that_are_known_to_hold_no_record_are_not_lost(log: Path) -> None:
    """The end of a transaction behind the last record read, in partition 7."""
    start = splits(p7=10), deleted(7, 10)
    assert look(log, {7: 10}, *start, reset(7, 12))[0] == []
    assert look(log, {7: 10}, *start, reset(7, 20))[0] == ["partition 7, offsets 12 to 19"]


def test_a_gap_is_no_loss_when_flink_restarts_after_a_later_gap_was_found(log: Path) -> None:
    gaps = {("a.b", 7): Span(10, 12)}
    client = ClientLog(log, {("a.b", 7): 10}, gaps)
    lines = [splits(p7=10), deleted(7, 10), reset(7, 12)]
    for _ in range(2):
        log.write_text("".join(f"{line}\n" for line in lines))
        assert client.read() == []
        gaps["a.b", 7] = Span(13, 14)
        lines *= 2


def test_a_source_that_begins_at_the_end_has_lost_nothing(log: Path) -> None:
    assert look(log, {0: 5}, splits(p0=-1), seek(0, "latest"), reset(0, 90)) == ([], {0: 90})


def test_committed_offsets_and_a_topic_that_became_shorter_are_no_loss(log: Path) -> None:
    committed = f"{CLIENT} Setting offset for partition a.b-0 to the committed offset FetchPosition"
    lines = splits(p0=-3, p1=70), f"{committed}{{offset=7, {AT}", deleted(1, 70), reset(1, 0)
    assert look(log, {}, *lines) == ([], {0: 7, 1: 0})


def test_a_half_written_line_is_read_when_it_is_complete(log: Path) -> None:
    client = ClientLog(log, {}, {})
    assert client.read() == []
    line = f"{splits(p0=5)}\n{deleted(0, 5)}\n{reset(0, 9)}\n"
    log.write_text(line[:-40])
    assert client.read() == []
    log.write_text(line)
    assert client.read() == [LostRecords("a.b", 0, 5, 8)]
    assert client.read() == []


def test_of_many_places_the_first_are_named() -> None:
    assert deleted_records.describe([]) == ""
    text = deleted_records.describe([LostRecords("t", number, 1, 2) for number in range(12)])
    assert text.startswith("t, partition 0, offsets 1 to 2; t, partition 1, ")
    assert "t, partition 9, offsets 1 to 2 and 2 more places: deleted from Kafka before " in text
