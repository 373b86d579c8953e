"""The way into Kafka where there is none; tests/e2e/test_producer.py has a real broker."""

import os

import msgspec
import pytest

from lib import ports, settings
from lib.errors import SettingsError
from producer import outbox
from producer.clock import Clock


def kafka(servers: str) -> settings.Kafka:
    return msgspec.structs.replace(settings.load(environ={}).kafka, bootstrap_servers=servers)


class Impatient(Clock):
    """A clock that is stopped by the first thing said, as by Ctrl-C."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)
        self.stop()


def test_a_broker_that_is_away_is_waited_for_until_a_signal_and_nothing_stays_open() -> None:
    servers, clock = f"127.0.0.1:{ports.free(1)[0]}", Impatient()
    began = os.times()
    before = len(os.listdir("/proc/self/fd"))
    assert outbox.connect(kafka(servers), clock, clock.say) is None
    assert len(os.listdir("/proc/self/fd")) == before
    now = os.times()
    assert now.user + now.system - began.user - began.system < 1, "it must not turn in circles"
    assert clock.said == [
        f"{servers}: Kafka does not answer, waiting for 2 s; "
        "`make up` starts it, Ctrl-C ends the wait."
    ]


def test_a_topic_cannot_be_missing_where_nobody_answers() -> None:
    outbox.check_topic(kafka(f"127.0.0.1:{ports.free(1)[0]}"))


def test_what_is_no_address_is_refused() -> None:
    clock = Impatient()
    with pytest.raises(SettingsError, match=r"^kafka.bootstrap_servers: 'x' is no address; write"):
        outbox.connect(kafka("x"), clock, clock.say)
