"""The way into Kafka where there is none; tests/e2e/test_producer.py has a real broker."""

import os

import msgspec
import pytest

from lib import conf, ports, settings
from lib.errors import SettingsError
from producer import sender
from producer.clock import Clock


def kafka(servers: str) -> settings.Kafka:
    return msgspec.structs.replace(conf.load(environ={}).kafka, bootstrap_servers=servers)


class Impatient(Clock):
    """A clock that goes on only by sleeping, and is stopped by the first thing said, as by
    Ctrl-C."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.slept: list[float] = []

    def now(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def say(self, line: str) -> None:
        self.said.append(line)
        self.stop()


def test_a_broker_that_is_away_is_waited_for_until_a_signal_and_nothing_stays_open() -> None:
    servers, clock = f"127.0.0.1:{ports.free(1)[0]}", Impatient()
    before = len(os.listdir("/proc/self/fd"))
    assert sender.connect(kafka(servers), clock, clock.say) is None
    # Fewer, where what tests before left was collected meanwhile.
    assert len(os.listdir("/proc/self/fd")) <= before
    assert clock.slept == [sender.PAUSE] * 5, "it must not turn in circles"
    assert clock.said == [
        f"{servers}: Kafka does not answer, waiting for 2 s; "
        "`make up` starts it, Ctrl-C ends the wait."
    ]


def test_a_topic_cannot_be_missing_where_nobody_answers() -> None:
    sender.check_topic(kafka(f"127.0.0.1:{ports.free(1)[0]}"))


def test_what_is_no_address_is_refused() -> None:
    clock = Impatient()
    with pytest.raises(SettingsError, match=r"^kafka.bootstrap_servers: 'x' is not an address"):
        sender.connect(kafka("x"), clock, clock.say)
