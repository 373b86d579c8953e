"""The server process: its time zone, signals and kills."""

import contextlib
import signal
import socket
import threading
from http.client import HTTPConnection

import httpx
import pytest

from local.clickhouse.execution.service import WORKERS
from tests.conftest import Held, wait_until
from tests.local.clickhouse.conftest import Embedded


def test_times_are_in_utc_wherever_the_machine_is(server: Embedded) -> None:
    """The server of these tests is started with TZ=Asia/Tokyo."""
    assert server.sql("SELECT timezone(), toDateTime(0)") == "UTC\t1970-01-01 00:00:00"


BATCH = b"".join(b"%d\n" % n for n in range(5000))


SLOW = "SELECT count() FROM system.processes WHERE startsWith(query, 'SELECT sleepEachRow')"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_a_running_insert_finish(
    own_server: Embedded, held: Held, number: signal.Signals
) -> None:
    own_server.start()
    own_server.sql("CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a")
    answers = []
    sql = f"INSERT INTO t SELECT a FROM {held.rows}"
    running = threading.Thread(target=lambda: answers.append(own_server.post(sql).status_code))
    running.start()
    wait_until_it_runs(own_server, "INSERT INTO t")
    own_server.process.send_signal(number)
    wait_until(lambda: not listens(own_server))
    held.let_go()
    assert own_server.process.wait(90) == 0
    running.join()
    assert answers == [200]
    own_server.start()
    assert own_server.sql("SELECT count() FROM t") == "10"


@pytest.mark.parametrize(
    ("begin", "rest"),
    [
        ("SELECT sleepEachRow", "(1) FROM numbers(1000) SETTINGS max_block_size = 1 FORMAT JSON"),
        # It cannot be killed.
        ("SELECT * FROM url", "('http://127.0.0.1:1/', 'CSV', 'a Int8')"),
    ],
)
def test_a_signal_ends_a_query(own_server: Embedded, begin: str, rest: str) -> None:
    own_server.start()
    query = threading.Thread(target=swallow, args=(own_server, begin + rest))
    query.start()
    wait_until_it_runs(own_server, begin)
    assert own_server.stop() == 0
    query.join()


def test_slow_queries_in_all_threads_end_when_their_clients_disconnect(
    own_server: Embedded,
) -> None:
    own_server.start()
    with contextlib.ExitStack() as clients:
        fill(own_server, clients, WORKERS + 3)
    assert own_server.sql("SELECT 1") == "1"
    wait_until(lambda: own_server.sql(SLOW) == "0")


def test_slow_queries_in_all_threads_do_not_delay_a_signal(own_server: Embedded) -> None:
    own_server.start()
    with contextlib.ExitStack() as clients:
        fill(own_server, clients, WORKERS + 3)
        assert own_server.stop() == 0


def fill(server: Embedded, clients: contextlib.ExitStack, count: int) -> None:
    """Send this many slow queries, and return when no thread is free for another."""
    sql = "SELECT sleepEachRow(1) FROM numbers(600) SETTINGS max_block_size = 1 FORMAT JSON"
    for _ in range(count):
        client = HTTPConnection("127.0.0.1", server.port, timeout=90)
        clients.enter_context(contextlib.closing(client)).request("POST", "/", sql)
    wait_until(lambda: not is_answered(server))


def is_answered(server: Embedded) -> bool:
    with contextlib.suppress(httpx.TimeoutException):
        return server.http.post(server.url, content="SELECT 1", timeout=2).status_code == 200
    return False


def wait_until_it_runs(server: Embedded, begin: str) -> None:
    """Return when a query that begins like this has begun."""
    shown = f"SELECT count() FROM system.processes WHERE startsWith(query, '{begin}')"
    wait_until(lambda: server.sql(shown) != "0")


def listens(server: Embedded) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port)):
        return True
    return False


def swallow(server: Embedded, sql: str) -> None:
    with contextlib.suppress(httpx.TransportError):
        server.post(sql)


def test_a_kill_loses_no_acknowledged_batch_and_tears_none(own_server: Embedded) -> None:
    own_server.start()
    own_server.sql("CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a")
    acknowledged = 0
    for delay in (0.05, 0.2, 0.33):
        acknowledged += insert_until_killed(own_server, delay)
        own_server.start()
        stored = int(own_server.sql("SELECT count() FROM t"))
        assert stored % 5000 == 0
        assert acknowledged <= stored // 5000 <= acknowledged + 1
        acknowledged = stored // 5000


def insert_until_killed(server: Embedded, delay: float) -> int:
    timer = threading.Timer(delay, server.kill)
    timer.start()
    acknowledged = 0
    try:
        with httpx.Client(timeout=90) as client:
            while True:
                params = {"query": "INSERT INTO t FORMAT CSV"}
                response = client.post(server.url, params=params, content=BATCH)
                assert response.status_code == 200
                acknowledged += 1
    except httpx.TransportError:
        timer.join()
        return acknowledged
