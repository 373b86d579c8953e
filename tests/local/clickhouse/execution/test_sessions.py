"""Sessions: temporary tables and settings between requests."""

import threading
import time

from lib.clickhouse_errors import Code
from tests.conftest import Held, wait_until
from tests.local.clickhouse.conftest import Embedded, code_of


def test_sessions(server: Embedded) -> None:
    server.sql("CREATE TEMPORARY TABLE kept (a Int8)", session_id="s")
    server.sql("SET max_block_size = 77", session_id="s")
    get = "SELECT getSetting('max_block_size'), getSetting('max_threads') = 9, count() FROM kept"
    assert server.sql(get, session_id="s", max_threads="9") == "77\t1\t0"
    assert server.sql(get, session_id="s") == "77\t0\t0"
    assert server.post(get).status_code == 404


def test_a_session_is_locked_while_in_use_and_expires(server: Embedded, held: Held) -> None:
    send = {"session_id": "l", "query_id": "holds-l"}
    sql = f"SELECT max(a) FROM {held.rows}"
    running = threading.Thread(target=server.post, args=(sql,), kwargs=send)
    running.start()
    find = "FROM system.processes WHERE Settings['log_comment'] = 'holds-l'"
    wait_until(lambda: server.sql(f"SELECT count() {find}") == "1")
    locked = server.post("SELECT 1", session_id="l")
    assert code_of(locked) == Code.SESSION_IS_LOCKED
    held.let_go()
    running.join()
    assert server.sql("SELECT 1", session_id="l") == "1"
    server.sql("SELECT 1", session_id="short", session_timeout="1")
    time.sleep(1.2)
    expired = server.post("SELECT 1", session_id="short", session_check="1")
    assert code_of(expired) == Code.SESSION_NOT_FOUND


def test_a_session_keeps_a_setting_of_any_text(server: Embedded) -> None:
    name, send = "format_csv_null_representation", {"session_id": "lines"}
    server.sql(b"SET %s = 'a\nb\tc\xff'" % name.encode(), **send)
    get = f"SELECT hex(getSetting('{name}'))"
    assert server.sql(get, **send, **{name: "x"}) == "78"
    assert server.sql(get, **send) == "610A620963FF"


def test_external_tables_do_not_outlive_their_query(server: Embedded) -> None:
    params = {"ext_types": "UInt8,String", "session_id": "e", "query": "SELECT _2 FROM ext"}
    send = {"params": params, "files": {"ext": ("ext.tsv", b"1\tone\n")}}
    assert server.http.post(server.url, **send).text == "one\n"
    assert server.http.post(server.url, **send).text == "one\n"
    assert server.post("SELECT * FROM ext", session_id="e").status_code == 404


def test_a_query_that_only_reads_leaves_its_session_unchanged(server: Embedded) -> None:
    send = {"session_id": "kept"}
    assert server.http.get(server.url, params=send | {"query": "SELECT 1"}).text == "1\n"
    assert server.sql("SELECT 1", readonly="1", **send) == "1"
    server.sql("CREATE TEMPORARY TABLE mine (a Int8)", **send)
    server.sql("CREATE OR REPLACE TABLE written (a Int8) ENGINE = Memory", **send)
    server.sql("DROP TABLE written", **send)
