"""Running queries: their ids, and what a client's disconnect cancels."""

import threading
import time
from contextlib import closing
from http.client import HTTPConnection

import pytest

from tests.conftest import wait_until


def test_the_query_id_is_found_while_it_runs_and_is_unique(server):
    sql = "SELECT sleepEachRow(1) FROM numbers(1000) SETTINGS max_block_size = 1"
    running = threading.Thread(target=server.post, args=(sql,), kwargs={"query_id": "slow-one"})
    running.start()
    find = "FROM system.processes WHERE Settings['log_comment'] = 'slow-one'"
    wait_until(lambda: server.sql(f"SELECT count() {find}") == "1")
    assert (
        server.post("SELECT 1", query_id="slow-one").headers["x-clickhouse-exception-code"] == "216"
    )
    server.sql("KILL QUERY WHERE Settings['log_comment'] = 'slow-one'")
    running.join()
    assert server.sql("SELECT 1", query_id="slow-one") == "1"


@pytest.mark.parametrize("fmt", ["TSV", "JSON"])
def test_a_query_whose_client_left_is_cancelled(server, fmt):
    sql = f"SELECT number, sleep(0.05) FROM numbers(99999) SETTINGS max_block_size = 1 FORMAT {fmt}"
    find = f"FROM system.processes WHERE Settings['log_comment'] = 'left-{fmt}'"
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=90)) as connection:
        connection.request("POST", f"/?query_id=left-{fmt}", sql)
        wait_until(lambda: server.sql(f"SELECT count() {find}") == "1")
        if fmt == "TSV":
            with connection.getresponse() as response:
                assert response.read(1) == b"0"
    wait_until(lambda: server.sql(f"SELECT count() {find}") == "0")


def test_a_client_that_leaves_stops_no_query_of_the_same_comment(server, table, held):
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


def test_an_insert_whose_client_left_goes_on(server, table, held):
    find = "FROM system.processes WHERE Settings['log_comment'] = 'left'"
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=90)) as connection:
        sql = f"INSERT INTO {table} (a) SELECT a FROM {held.rows}"
        connection.request("POST", "/?query_id=left", sql)
        wait_until(lambda: server.sql(f"SELECT count() {find}") == "1")
    # Enough for the server to see it leave, and to stop what it should not.
    time.sleep(0.3)
    held.let_go()
    wait_until(lambda: server.sql(f"SELECT count() FROM {table}") == "10")
