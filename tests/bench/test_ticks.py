"""The load is the same in each run, and its pace is that which is asked for."""

import json
import random
from itertools import islice

import pytest

from bench import ticks
from bench.ticks import Sender, Value


class Sent(Sender):
    """A sender that keeps what it is to send."""

    def __init__(self, partitions: int) -> None:
        self._topic, self._partitions, self._of_symbol = "topic", partitions, {}
        self._producer = self
        self.sent: list[tuple[str, str, int]] = []

    def produce(self, topic: str, value: str, key: str, partition: int) -> None:
        self.sent.append((value, key, partition))

    def wait(self) -> None:
        pass


def some(count: int, **options: bool) -> list[Value]:
    return [*islice(ticks.values(random.Random(1), ticks.SYMBOLS, **options), count)]


def test_a_backlog_is_the_same_in_each_run() -> None:
    assert some(1_000) == some(1_000)


def test_a_message_is_a_tick_and_its_partition_is_that_of_its_symbol() -> None:
    sender = Sent(4)
    partitions = [sender.send(tick) for tick in some(1_000)]
    assert partitions == [partition for _, _, partition in sender.sent]
    assert {*partitions} == {0, 1, 2, 3}
    assert len({(key, partition) for _, key, partition in sender.sent}) == len(ticks.SYMBOLS)
    messages = [json.loads(value) for value, _, _ in sender.sent]
    assert [tuple(message.values()) for message in messages] == some(1_000)
    assert [*messages[0]] == ["symbol", "price", "volume", "timestamp"]
    assert messages[0]["symbol"] == sender.sent[0][1]
    assert 60 < len(sender.sent[0][0]) < 110


def test_ticks_are_sent_at_their_rate_and_noted_by_partition() -> None:
    sender = Sent(4)
    endless = ticks.values(random.Random(1), ticks.SYMBOLS, are_now=True)
    due, late = ticks.pace(sender, endless, rate=1_000, count=200)
    assert len(sender.sent) == 200 == sum(map(len, due.values()))
    times = sorted(time for one in due.values() for time in one)
    assert times[-1] - times[0] == pytest.approx(0.199)
    assert min(late) >= 0
    counts = [sum(partition == number for _, _, partition in sender.sent) for number in range(4)]
    assert counts == [len(due[number]) for number in range(4)]
