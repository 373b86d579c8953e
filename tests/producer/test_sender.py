"""Connecting without a broker; tests/e2e/test_producer.py has one."""

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
    """A clock whose time passes only by sleeping, and that the first line stops, as Ctrl-C does."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.slept: list[float] = []

    def now(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def say(self, line: str) -> None:
        self.lines.append(line)
        self.stop()


def test_it_waits_for_a_broker_until_a_signal_and_leaves_nothing_open() -> None:
    servers, clock = f"127.0.0.1:{ports.free(1)[0]}", Impatient()
    before = len(os.listdir("/proc/self/fd"))
    assert sender.connect(kafka(servers), clock, clock.say) is None
    # Fewer, if objects of earlier tests were collected meanwhile.
    assert len(os.listdir("/proc/self/fd")) <= before
    assert clock.slept == [sender.PAUSE] * 5, "it must pause between attempts"
    assert clock.lines == [
        f"{servers}: Kafka does not answer, waiting for 2 s; "
        "`make up` starts it, Ctrl-C ends the wait."
    ]


def test_a_topic_is_not_missing_if_no_broker_answers() -> None:
    sender.check_topic(kafka(f"127.0.0.1:{ports.free(1)[0]}"))


def test_a_malformed_address_is_refused() -> None:
    clock = Impatient()
    with pytest.raises(SettingsError, match=r"^kafka.bootstrap_servers: 'x' is not an address"):
        sender.connect(kafka("x"), clock, clock.say)
