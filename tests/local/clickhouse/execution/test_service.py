"""Running queries: their ids, and what a client's disconnect cancels."""

import threading
import time
from contextlib import closing
from http.client import HTTPConnection

import pytest

from lib.clickhouse_errors import Code
from tests.conftest import Held, wait_until
from tests.local.clickhouse.conftest import Embedded, code_of


def test_a_query_id_is_shown_and_unique_while_the_query_runs(server: Embedded) -> None:
    sql = "SELECT sleepEachRow(1) FROM numbers(1000) SETTINGS max_block_size = 1"
    running = threading.Thread(target=server.post, args=(sql,), kwargs={"query_id": "slow-one"})
    running.start()
    find = "FROM system.processes WHERE Settings['log_comment'] = 'slow-one'"
    wait_until(lambda: server.sql(f"SELECT count() {find}") == "1")
    second = server.post("SELECT 1", query_id="slow-one")
    assert code_of(second) == Code.QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING
    server.sql("KILL QUERY WHERE Settings['log_comment'] = 'slow-one'")
    running.join()
    assert server.sql("SELECT 1", query_id="slow-one") == "1"


@pytest.mark.parametrize("fmt", ["TSV", "JSON"])
def test_a_disconnect_cancels_a_query_that_reads(server: Embedded, fmt: str) -> None:
    sql = f"SELECT number, sleep(0.05) FROM numbers(99999) SETTINGS max_block_size = 1 FORMAT {fmt}"
    find = f"FROM system.processes WHERE Settings['log_comment'] = 'left-{fmt}'"
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=90)) as connection:
        connection.request("POST", f"/?query_id=left-{fmt}", sql)
        wait_until(lambda: server.sql(f"SELECT count() {find}") == "1")
        if fmt == "TSV":
            with connection.getresponse() as response:
                assert response.read(1) == b"0"
    wait_until(lambda: server.sql(f"SELECT count() {find}") == "0")


def test_a_disconnect_cancels_no_other_query_of_the_same_comment(
    server: Embedded, table: str, held: Held
) -> None:
    find = "FROM system.processes WHERE Settings['log_comment'] = 'app'"
    insert = f"INSERT INTO {table} (a) SELECT a FROM {held.rows}"
    select = f"SELECT count() FROM {held.rows}"
    left = "SELECT sleepEachRow(1) FROM numbers(1000) SETTINGS max_block_size = 1"
    answers = []
    others = [
        threading.Thread(target=lambda sql=sql: answers.append(server.post(sql, log_comment="app")))
        for sql in (insert, select)
    ]
    for other in others:
        other.start()
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=90)) as connection:
        connection.request("POST", "/?log_comment=app", left)
        wait_until(lambda: server.sql(f"SELECT count() {find}") == "3")
    wait_until(lambda: server.sql(f"SELECT count() {find}") == "2")
    held.let_go()
    for other in others:
        other.join()
    assert [answer.status_code for answer in answers] == [200, 200]
    assert server.sql(f"SELECT count() FROM {table}") == "10"


def test_an_insert_continues_after_its_client_disconnects(
    server: Embedded, table: str, held: Held
) -> None:
    find = "FROM system.processes WHERE Settings['log_comment'] = 'left'"
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=90)) as connection:
        sql = f"INSERT INTO {table} (a) SELECT a FROM {held.rows}"
        connection.request("POST", "/?query_id=left", sql)
        wait_until(lambda: server.sql(f"SELECT count() {find}") == "1")
    # Time for the server to notice the disconnect, and to cancel what it should not.
    time.sleep(0.3)
    held.let_go()
    wait_until(lambda: server.sql(f"SELECT count() FROM {table}") == "10")
