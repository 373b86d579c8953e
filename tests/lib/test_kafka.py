"""What is lines without a broker; tests/e2e has one."""

import os
import socket

import pytest

from lib import kafka, ports, waiting
from lib.errors import SettingsError, UnavailableError
from tests.conftest import FakeTime


@pytest.fixture
def nobody() -> str:
    """An address where nothing listens."""
    return f"127.0.0.1:{ports.free(1)[0]}"


@pytest.mark.parametrize(
    ("servers", "addresses"),
    [
        ("127.0.0.1:9092", [("127.0.0.1", 9092)]),
        ("kafka-1.example:1, localhost:22", [("kafka-1.example", 1), ("localhost", 22)]),
        ("[::1]:9092", [("::1", 9092)]),
    ],
)
def test_addresses_are_hosts_and_ports(servers: str, addresses: list[tuple[str, int]]) -> None:
    assert kafka.addresses(servers) == addresses


@pytest.mark.parametrize(
    "servers", ["", "localhost", "localhost:", ":9092", "a:b", "a:1,b", "a:1,"]
)
def test_a_malformed_address_is_refused(servers: str) -> None:
    with pytest.raises(SettingsError) as error:
        kafka.topics(servers)
    assert str(error.value) == (
        f"kafka.bootstrap_servers: {servers!r} is not an address; write host:port[,host:port]."
    )


def test_one_listening_broker_is_enough(nobody: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        someone = f"127.0.0.1:{server.getsockname()[1]}"
        assert kafka.is_listening(f"{nobody},{someone}")
    assert not kafka.is_listening(nobody)


def test_no_broker_is_one_line_and_leaves_nothing_open(nobody: str) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(UnavailableError) as error:
            kafka.topics(nobody)
    assert str(error.value) == (
        f"Kafka at {nobody} does not answer; start it with `make up` "
        "or set kafka.bootstrap_servers."
    )
    # Fewer, if objects of earlier tests were collected meanwhile.
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_wait_is_reported_and_ends_when_time_is_up(
    nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    clock = FakeTime()
    monkeypatch.setattr(waiting, "time", clock)
    with pytest.raises(UnavailableError):
        kafka.wait(nobody, lines.append, timeout=0.6)
    assert lines == [f"waiting for Kafka at {nobody}; `make up` starts it"] * 2
    assert clock.now == 1.0


@pytest.mark.parametrize(
    ("servers", "is_local"),
    [
        ("127.0.0.1:9092", True),
        ("localhost:1,[::1]:2,127.1.2.3:4", True),
        ("kafka-1.example:9092", False),
        ("127.0.0.1:9092,kafka-2.example:9092", False),
    ],
)
def test_a_broker_is_local_if_only_this_machine_reaches_it(servers: str, is_local: bool) -> None:
    assert kafka.is_local(servers) is is_local
