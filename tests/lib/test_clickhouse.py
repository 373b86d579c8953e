import threading

import msgspec
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from lib import clickhouse as connections
from lib import ports, waiting
from lib.errors import ServiceError
from lib.settings import ClickHouse
from tests.conftest import FakeTime, Server

AWAY = "does not answer; start it with `make up` or set clickhouse.host and clickhouse.port."

MEND = "; fix that in ClickHouse, or set clickhouse.host and clickhouse.port."


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
    away = nowhere(clickhouse)
    with pytest.raises(ServiceError) as error:
        connections.connect(away)
    assert str(error.value) == f"ClickHouse at {away.address} {AWAY}"


def test_a_refused_user_is_told_which_settings_to_change(clickhouse: ClickHouse) -> None:
    stranger = msgspec.structs.replace(clickhouse, user="stranger")
    with pytest.raises(ServiceError) as error:
        connections.connect(stranger)
    assert str(error.value) == (
        f"ClickHouse at {clickhouse.address}: user stranger is refused; "
        "set clickhouse.user and clickhouse.password."
    )


def test_waiting_says_so_and_ends_when_time_is_up(
    clickhouse: ClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeTime()
    monkeypatch.setattr(waiting, "time", clock)
    away, said = nowhere(clickhouse), []
    with pytest.raises(ServiceError, match="does not answer"):
        connections.wait(away, said.append, timeout=0.6)
    assert said == [f"waiting for ClickHouse at {away.address}; `make up` starts it"] * 2
    assert clock.now == 1.0


def test_waiting_is_no_use_when_the_user_is_refused(clickhouse: ClickHouse) -> None:
    stranger, said = msgspec.structs.replace(clickhouse, user="stranger"), []
    with pytest.raises(ServiceError, match="is refused"):
        connections.wait(stranger, said.append, timeout=30)
    assert said == []


def test_waiting_ends_when_the_server_comes(mortal: Server) -> None:
    mortal.kill()
    thread = threading.Thread(target=mortal.start)
    said: list[str] = []

    def say(text: str) -> None:
        if not said:
            thread.start()
        said.append(text)

    client = connections.wait(mortal.settings, say, timeout=150)
    thread.join()
    assert client.command("SELECT 1") == 1 and said


@pytest.mark.parametrize(
    ("error", "fact"),
    [
        (OperationalError("broken pipe"), f" {AWAY}"),
        (ConnectionResetError(), f" {AWAY}"),
        (DatabaseError("code: 62,\nSYNTAX_ERROR", code=62), f": code: 62, SYNTAX_ERROR{MEND}"),
        (DatabaseError("code: 1920", code=1920), f": code: 1920{MEND}"),
    ],
)
def test_what_the_driver_raises_is_explained(
    clickhouse: ClickHouse, error: Exception, fact: str
) -> None:
    with pytest.raises(ServiceError) as explained, connections.explained(clickhouse):
        raise error
    assert str(explained.value) == f"ClickHouse at {clickhouse.address}{fact}"
    assert explained.value.__cause__ is error
