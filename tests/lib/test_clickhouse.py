import threading

import msgspec
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from lib import clickhouse as connections
from lib import ports, waiting
from lib.errors import ServiceError
from lib.settings import ClickHouse
from tests.conftest import FakeTime, Server

NO_ANSWER = "does not answer; start it with `make up` or set clickhouse.host and clickhouse.port."

FIX = "; fix that in ClickHouse, or set clickhouse.host and clickhouse.port."


def nowhere(settings: ClickHouse) -> ClickHouse:
    return msgspec.structs.replace(settings, port=ports.free(1)[0])


def test_a_client_serves_many_threads(clickhouse: ClickHouse) -> None:
    client = connections.connect(clickhouse)
    answers: list[object] = []
    ask = lambda: answers.append(client.command("SELECT 1 + sleep(0.1)"))  # noqa: E731
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [1] * 4


def test_no_server_is_one_line_with_a_remedy(clickhouse: ClickHouse) -> None:
    unavailable = nowhere(clickhouse)
    with pytest.raises(ServiceError) as error:
        connections.connect(unavailable)
    assert str(error.value) == f"ClickHouse at {unavailable.address} {NO_ANSWER}"


def test_a_refused_user_is_an_error_with_the_settings_to_change(clickhouse: ClickHouse) -> None:
    stranger = msgspec.structs.replace(clickhouse, user="stranger")
    with pytest.raises(ServiceError) as error:
        connections.connect(stranger)
    assert str(error.value) == (
        f"ClickHouse at {clickhouse.address}: user stranger is refused; "
        "set clickhouse.user and clickhouse.password."
    )


def test_a_wait_is_reported_and_ends_when_time_is_up(
    clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeTime()
    monkeypatch.setattr(waiting, "time", clock)
    unavailable, lines = nowhere(clickhouse), []
    with pytest.raises(ServiceError, match="does not answer"):
        connections.wait(unavailable, lines.append, timeout=0.6)
    assert lines == [f"waiting for ClickHouse at {unavailable.address}; `make up` starts it"] * 2
    assert clock.now == 1.0


def test_it_does_not_wait_if_the_user_is_refused(clickhouse: ClickHouse) -> None:
    stranger, lines = msgspec.structs.replace(clickhouse, user="stranger"), []
    with pytest.raises(ServiceError, match="is refused"):
        connections.wait(stranger, lines.append, timeout=30)
    assert lines == []


def test_a_wait_ends_when_the_server_answers(mortal: Server) -> None:
    mortal.kill()
    thread = threading.Thread(target=mortal.start)
    lines: list[str] = []

    def say(text: str) -> None:
        if not lines:
            thread.start()
        lines.append(text)

    client = connections.wait(mortal.settings, say, timeout=150)
    thread.join()
    assert client.command("SELECT 1") == 1 and lines


@pytest.mark.parametrize(
    ("error", "fact"),
    [
        (OperationalError("broken pipe"), f" {NO_ANSWER}"),
        (ConnectionResetError(), f" {NO_ANSWER}"),
        (DatabaseError("code: 62,\nSYNTAX_ERROR", code=62), f": code: 62, SYNTAX_ERROR{FIX}"),
        (DatabaseError("code: 1920", code=1920), f": code: 1920{FIX}"),
    ],
)
def test_an_error_of_the_driver_is_explained(
    clickhouse: ClickHouse, error: Exception, fact: str
) -> None:
    with pytest.raises(ServiceError) as explained, connections.explained(clickhouse):
        raise error
    assert str(explained.value) == f"ClickHouse at {clickhouse.address}{fact}"
    assert explained.value.__cause__ is error
