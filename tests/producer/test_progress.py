"""Progress lines: the rate, and now and then that Kafka does not acknowledge."""

import logging

import pytest

from producer.counts import Counts
from producer.progress import Speed, Stall, describe, log_client


def test_the_rate_is_over_the_last_seconds() -> None:
    speed = Speed()
    assert speed.update(0.0, 0) == 0.0
    for second in range(1, 31):
        assert speed.update(float(second), 100 * second) == 100.0
    for second in range(31, 42):
        rate = speed.update(float(second), 3000)
    assert rate == 0.0
    assert len(speed.samples) < 15


def test_a_stall_is_reported_repeatedly_and_its_end_once() -> None:
    counts, stall = Counts(sent=50, acknowledged=10), Stall("k:1", since=0.0, acknowledged=10)
    lines = [line for second in range(20) if (line := stall.update(float(second), counts))]
    assert [line.split(";")[0] for line in lines] == [
        f"k:1: Kafka has acknowledged nothing for {seconds} s, 40 ticks wait"
        for seconds in (2, 4, 8, 16)
    ]
    counts.acknowledged = 50
    assert stall.update(20.0, counts) == "k:1: Kafka acknowledges again, after 20 s."
    assert stall.update(21.0, counts) is None


def test_there_is_no_stall_without_a_waiting_tick() -> None:
    stall = Stall("k:1", since=0.0)
    assert [stall.update(float(second), Counts()) for second in range(100)] == [None] * 100
    assert stall.update(100.5, Counts(sent=1)) is None


def test_the_line_has_counts_and_rate() -> None:
    assert describe(Counts(1234, 1200), 12.34) == "sent 1,234 ticks, 12.3/s, 1,200 acknowledged"


@pytest.mark.parametrize(("verbose", "expected"), [(False, ""), (True, "ERROR kafka.x: gone\n")])
def test_the_clients_log_never_has_a_traceback(
    verbose: bool, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("kafka")
    logger.handlers.clear()
    log_client(verbose)
    try:
        raise OSError("refused")
    except OSError:
        logging.getLogger("kafka.x").exception("gone")
    logger.handlers.clear()
    assert capsys.readouterr().err == expected
