"""The HTTP interface byte by byte, as curl and other clients see it."""

import gzip
import json
import socket
import threading
import time
import zlib
from contextlib import closing
from http.client import HTTPConnection

import httpx
import lz4.frame
import pytest
import zstandard

from local.clickhouse.formats.content_encoding import decompress
from tests.conftest import wait_until

ROW = b'{"a": 1}\n'


@pytest.mark.parametrize("path", ["ping", "replicas_status", ""])
def test_health(server, path):
    assert server.http.get(server.url + path).text == "Ok.\n"


def test_an_unknown_path_is_404(server):
    for path in ("foo", "foo/é"):
        answer = server.http.get(server.url + path)
        assert answer.status_code == 404
        assert answer.text.startswith(f"There is no handle /{path}\n") and answer.text[-1] == "\n"
    assert server.http.put(server.url).status_code == 404


def raw(server, target):
    """The answer to a GET whose address is sent as it is."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=90) as connection:
        head = b"GET /?%s HTTP/1.1\r\nHost: localhost\r\n" % target
        for piece in (head, b"Connection: close\r\n\r\n"):
            connection.sendall(piece)
        with connection.makefile("rb") as answer:
            status = answer.readline()
            body = answer.read().partition(b"\r\n\r\n")[2]
    assert status.startswith(b"HTTP/1.1 200"), (status, body)
    return body


@pytest.mark.parametrize(
    ("target", "answer"),
    [
        ("query=SELECT%20'é'".encode(), "é\n".encode()),
        ("query=SELECT%20{t:String}&param_t=日本".encode(), "日本\n".encode()),
        (b"query=SELECT%20hex('%FF%C3%A9')", b"FFC3A9\n"),
        (b"query=SELECT%20hex('\xff')", b"FF\n"),
        (b"query=SELECT%20hex({t:String})&param_t=%FF%5Ct%C3%A9", b"FF09C3A9\n"),
        (b"query=SELECT%20hex(getSetting('log_comment'))&log_comment=%FF'", b"FF27\n"),
        (b"query=SELECT%201&query_id=%FF&session_id=%FF", b"1\n"),
    ],
)
def test_any_byte_may_stand_in_an_address(server, target, answer):
    assert raw(server, target) == answer


def test_the_body_of_a_pipelined_request_is_kept_as_it_came(server, table):
    query = b"GET /?query=SELECT%201 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    insert = (
        b"POST /?query=INSERT%%20INTO%%20%s%%20FORMAT%%20CSV HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Length: 5\r\nConnection: close\r\n\r\n" % table.encode()
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=90) as connection:
        # Two heads in one piece; then the second request's body.
        connection.sendall(query + insert)
        time.sleep(0.2)
        connection.sendall("1,é\n".encode())
        connection.makefile("rb").read()
    assert server.sql(f"SELECT b FROM {table}") == "é"


def test_bytes_that_came_in_pieces_and_on_a_kept_connection(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=90) as connection:
        line = "GET /?query=SELECT%20'é' HTTP/1.1\r\n".encode()
        answers = connection.makefile("rb")
        for pieces in ([line[:19], line[19:]], [line[:20], line[20:]], [line]):
            for piece in pieces:
                connection.sendall(piece)
            connection.sendall(b"Host: localhost\r\n\r\n")
            assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
            while answers.readline() != b"\r\n":
                pass
            assert answers.readline() == "é\n".encode()


def test_an_error_that_quotes_a_byte_which_is_no_text(server):
    response = server.post(b"SELECT nosuch('\xff')")
    assert (response.status_code, response.headers["x-clickhouse-exception-code"]) == (404, "46")
    assert response.text.startswith("Code: 46. DB::Exception: ")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ("session_timeout=%FF&session_id=x", "374"),
        ("database=%FF", "81"),
        ("user=%FF", "516"),
        ("nosuch=%FF", "115"),
        ("default_format=%FF", "73"),
    ],
)
def test_a_parameter_that_is_no_text_is_refused_as_one(server, params, code):
    response = server.http.post(f"{server.url}?{params}", content="SELECT 1")
    assert response.headers["x-clickhouse-exception-code"] == code


@pytest.mark.parametrize(
    "sql",
    [
        b"INSERT INTO FUNCTION null('a Int8') FORMAT \xff\n1\n",
        b"INSERT INTO FUNCTION null('a Int8') FORMAT `\xff`\n1\n",
        "INSERT INTO FUNCTION null('a Int8') FORMAT\u00a0CSV\n1\n".encode(),
        b"SELECT 1 FORMAT \xff",
        b"SELECT 1 FORMAT `\xff`",
    ],
)
def test_a_format_that_is_no_text_is_refused(server, sql):
    response = server.post(sql)
    assert response.headers["x-clickhouse-exception-code"] in ("62", "73"), response.text
    assert response.status_code in (400, 404)


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("session_timeout", "9" * 5000, "374"),
        ("client_protocol_version", "9" * 5000, "36"),
        ("query_id", "a\r\nX-Evil: 1", "36"),
        ("query_id", "a\n", "36"),
        ("query_id", "\0", "36"),
    ],
)
def test_a_parameter_that_can_be_none_is_refused(server, name, text, code):
    response = server.post("SELECT 1", **{name: text})
    assert response.headers["x-clickhouse-exception-code"] == code
    assert "x-evil" not in response.headers
    assert response.text.startswith(f"Code: {code}. DB::Exception: ")


def test_head_and_options(server):
    head = server.http.head(server.url, params={"query": "SELECT 1"})
    assert (head.status_code, head.content) == (200, b"")
    assert server.http.options(server.url).status_code == 204


def test_headers_of_an_answer(server):
    response = server.post("SELECT number FROM numbers(5) FORMAT JSONEachRow", query_id="mine")
    assert response.headers["content-type"] == "application/x-ndjson; charset=UTF-8"
    assert response.headers["x-clickhouse-query-id"] == "mine"
    assert response.headers["x-clickhouse-format"] == "JSONEachRow"
    assert response.headers["x-clickhouse-timezone"] == "UTC"
    assert response.headers["x-clickhouse-server-display-name"]
    summary = json.loads(response.headers["x-clickhouse-summary"])
    assert (summary["read_rows"], summary["result_rows"]) == ("5", "5")


def test_times_are_in_utc_wherever_the_machine_is(server):
    """The server of these tests is started with TZ=Asia/Tokyo."""
    assert server.sql("SELECT timezone(), toDateTime(0)") == "UTC\t1970-01-01 00:00:00"


@pytest.mark.parametrize(
    ("sql", "fmt"),
    [
        ("SELECT 1 WHERE 0", "TabSeparated"),
        ("WITH 1 AS x SELECT x FORMAT CSV", "CSV"),
        ("SHOW TABLES LIKE 'nosuch'", "TabSeparated"),
        ("EXISTS nosuch", "TabSeparated"),
        ("DROP TABLE IF EXISTS nosuch", None),
        ("SET max_threads = 1", None),
        ("INSERT INTO FUNCTION null('a Int8') VALUES (1)", None),
        ("INSERT INTO FUNCTION null('a Int8') SELECT 1", None),
        ("SYSTEM FLUSH LOGS", None),
    ],
)
def test_only_an_answer_has_a_format(server, sql, fmt):
    response = server.post(sql)
    assert response.status_code == 200, response.text
    assert response.headers.get("x-clickhouse-format") == fmt


def test_the_body_continues_the_query(server):
    assert server.sql("2", query="SELECT 1 +") == "3"


@pytest.mark.parametrize(
    ("sql", "options", "answer"),
    [
        ("SELECT 1 AS x", {}, "1\n"),
        ("SELECT 1 AS x", {"params": {"default_format": "JSONEachRow"}}, '{"x":1}\n'),
        ("SELECT 1 AS x", {"headers": {"X-ClickHouse-Format": "CSVWithNames"}}, '"x"\n1\n'),
        ("SELECT 1 AS format FORMAT CSV -- done", {"params": {"default_format": "XML"}}, "1\n"),
        ("SELECT 1 AS x WHERE 0 FORMAT CSVWithNames", {}, '"x"\n'),
        ("SELECT number % 2 AS k, 2 FROM numbers(1) GROUP BY k WITH TOTALS", {}, "0\t2\n\n0\t2\n"),
    ],
)
def test_formats(server, sql, options, answer):
    assert server.http.post(server.url, content=sql, **options).text == answer


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELECT * FROM nosuch", 404, 60),
        ("SELEC", 400, 62),
        ("", 400, 62),
        ("SELECT 1; SELECT 2", 400, 62),
        ("SELECT nosuch", 404, 47),
        ("SELECT 1 FORMAT Nosuch", 404, 73),
        ("SELECT throwIf(1)", 500, 395),
        ("SELECT {x:UInt8}", 500, 456),
        ("INSERT INTO nosuch VALUES (1)", 404, 60),
        ("SELECT toDate('x') FORMAT JSON", 400, 38),
        ("INSERT INTO no SELECT x FROM input('x Int64') FORMAT CSV\n1\n", 501, 48),
        (
            "WITH x AS (SELECT * FROM input('a Int64')) "
            "INSERT INTO no SELECT * FROM x FORMAT CSV\n1\n2\n",
            501,
            48,
        ),
    ],
)
def test_errors(server, sql, status, code):
    response = server.post(sql)
    assert (response.status_code, response.headers["x-clickhouse-exception-code"]) == (
        status,
        str(code),
    )
    assert response.text.startswith(f"Code: {code}. DB::Exception: ")
    assert "(version " in response.text


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"nosuch": "1"}, 115),
        ({"database": "nosuch"}, 81),
        ({"session_id": "none", "session_check": "1"}, 372),
        ({"session_id": "none", "session_timeout": "x"}, 374),
        ({"max_execution_time": "0.2"}, 159),
    ],
)
def test_refused_parameters(server, params, code):
    response = server.post("SELECT count() FROM numbers(100000000000)", **params)
    assert response.headers["x-clickhouse-exception-code"] == str(code)


@pytest.mark.parametrize(
    "options",
    [
        {"auth": ("reader", "")},
        {"params": {"user": "reader"}},
        {"headers": {"X-ClickHouse-User": "reader", "X-ClickHouse-Key": ""}},
    ],
)
def test_ways_to_name_a_user(server, options):
    response = server.http.post(server.url, content="SELECT getSetting('readonly')", **options)
    assert response.text == "1\n"


@pytest.mark.parametrize(
    "options",
    [
        {"auth": ("nobody", "")},
        {"headers": {"Authorization": "Bearer x"}},
        {"auth": ("default", ""), "params": {"user": "default"}},
    ],
)
def test_an_unknown_user_is_refused(server, options):
    response = server.http.post(server.url, content="SELECT 1", **options)
    assert (response.status_code, response.headers["x-clickhouse-exception-code"]) == (403, "516")


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}])
def test_web_pages_are_refused(server, headers):
    assert server.http.post(server.url, content="SELECT 1", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "host", ["127.evil.example", "localhost.evil.example", "[::1].evil.example"]
)
def test_names_that_only_begin_like_loopback_are_refused(server, host):
    assert (
        server.http.post(server.url, content="SELECT 1", headers={"Host": host}).status_code == 403
    )


def test_get_only_reads(server):
    response = server.http.get(
        server.url, params={"query": "CREATE TABLE no (a Int8) ENGINE = Memory"}
    )
    assert response.headers["x-clickhouse-exception-code"] == "164"
    assert server.sql("EXISTS no") == "0"


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", b"INSERT INTO rows (a) VALUES (1)"),
        ("", b"insert into rows(a) values (1);"),
        ("", b"/* FORMAT CSV */ INSERT INTO rows (a) VALUES (1)"),
        ("", b"INSERT INTO rows (a) SELECT 1"),
        ("", b"INSERT INTO rows FORMAT JSONEachRow " + ROW),
        ("", b"INSERT INTO rows (a) SETTINGS async_insert = 0 FORMAT CSV\n1"),
        ("", b"INSERT INTO rows (a) VALUES ({one:Int64})"),
        ("INSERT INTO rows FORMAT JSONEachRow", ROW),
        ("INSERT INTO rows (a) VALUES", b"(1)"),
        ("INSERT INTO rows (a) FORMAT RowBinary", (1).to_bytes(8, "little")),
        ("INSERT INTO rows (a) VALUES (1)", b""),
    ],
)
def test_ways_to_insert(server, table, query, body):
    response = server.post(body, query=query, param_one="1")
    assert response.status_code == 200, response.text
    assert server.sql("SELECT groupArray((a, b)) FROM rows") == "[(1,'none')]"


def test_the_summary_counts_written_rows(server, table):
    response = server.post("INSERT INTO rows (a) SELECT number FROM numbers(30)")
    assert json.loads(response.headers["x-clickhouse-summary"])["written_rows"] == "30"


def test_an_input_format_by_header(server, table):
    headers = {"X-ClickHouse-Format": "JSONEachRow"}
    params = {"query": "INSERT INTO rows"}
    assert (
        server.http.post(server.url, params=params, content=ROW, headers=headers).status_code == 200
    )
    assert server.sql("SELECT count() FROM rows") == "1"


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstandard.compress),
        ("lz4", lz4.frame.compress),
        ("gzip", lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])),
    ],
)
def test_compressed_bodies(server, table, encoding, pack):
    params = {"query": "INSERT INTO rows FORMAT JSONEachRow"}
    body = pack(ROW * 1000)
    send = {"params": params, "headers": {"Content-Encoding": encoding}}
    assert server.http.post(server.url, content=body, **send).status_code == 200
    broken = server.http.post(server.url, content=body[:-12], **send)
    assert broken.headers["x-clickhouse-exception-code"] == "271"
    assert server.sql("SELECT count() FROM rows") == "1000"


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("zstd", zstandard.compress), ("lz4", lz4.frame.compress)],
)
def test_each_chunk_may_be_a_frame(encoding, pack):
    assert b"".join(decompress([pack(b"1\n"), b"", pack(b"2\n")], encoding)) == b"1\n2\n"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("rows", [1, 300_000])
def test_compressed_answers(server, encoding, rows):
    response = server.http.post(
        server.url,
        content=f"SELECT number FROM numbers({rows})",
        params={"enable_http_compression": "1"},
        headers={"Accept-Encoding": encoding},
    )
    assert response.headers["content-encoding"] == encoding
    assert response.text.count("\n") == rows


def test_an_error_in_the_middle_breaks_the_answer_off(server):
    sql = "SELECT throwIf(number = 4000000) FROM numbers(9000000)"
    seen = b""
    with (
        pytest.raises(httpx.RemoteProtocolError),
        server.http.stream("POST", server.url, content=sql) as r,
    ):
        for piece in r.iter_bytes():
            seen = (seen + piece)[-1000:]
    tag = r.headers["x-clickhouse-exception-tag"]
    assert r.status_code == 200
    assert f"\r\n__exception__\r\n{tag}\r\nCode: 395. ".encode() in seen
    assert seen.endswith(f" {tag}\r\n__exception__\r\n".encode())


def test_waiting_for_the_end_gives_the_right_status(server):
    sql = "SELECT throwIf(number = 4000000) FROM numbers(9000000)"
    assert server.post(sql, wait_end_of_query="1").status_code == 500


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


def test_sessions(server):
    server.sql("CREATE TEMPORARY TABLE kept (a Int8)", session_id="s")
    server.sql("SET max_block_size = 77", session_id="s")
    get = "SELECT getSetting('max_block_size'), getSetting('max_threads') = 9, count() FROM kept"
    assert server.sql(get, session_id="s", max_threads="9") == "77\t1\t0"
    assert server.sql(get, session_id="s") == "77\t0\t0"
    assert server.post(get).status_code == 404


def test_a_session_is_locked_while_in_use_and_expires(server, held):
    send = {"session_id": "l", "query_id": "holds-l"}
    sql = f"SELECT max(a) FROM {held.rows}"
    running = threading.Thread(target=server.post, args=(sql,), kwargs=send)
    running.start()
    find = "FROM system.processes WHERE Settings['log_comment'] = 'holds-l'"
    wait_until(lambda: server.sql(f"SELECT count() {find}") == "1")
    locked = server.post("SELECT 1", session_id="l")
    assert locked.headers["x-clickhouse-exception-code"] == "373"
    held.let_go()
    running.join()
    assert server.sql("SELECT 1", session_id="l") == "1"
    server.sql("SELECT 1", session_id="short", session_timeout="1")
    time.sleep(1.2)
    expired = server.post("SELECT 1", session_id="short", session_check="1")
    assert expired.headers["x-clickhouse-exception-code"] == "372"


def test_a_session_keeps_a_setting_of_any_text(server):
    name, send = "format_csv_null_representation", {"session_id": "lines"}
    server.sql(b"SET %s = 'a\nb\tc\xff'" % name.encode(), **send)
    get = f"SELECT hex(getSetting('{name}'))"
    assert server.sql(get, **send, **{name: "x"}) == "78"
    assert server.sql(get, **send) == "610A620963FF"


def test_external_tables_do_not_outlive_their_query(server):
    params = {"ext_types": "UInt8,String", "session_id": "e", "query": "SELECT _2 FROM ext"}
    send = {"params": params, "files": {"ext": ("ext.tsv", b"1\tone\n")}}
    assert server.http.post(server.url, **send).text == "one\n"
    assert server.http.post(server.url, **send).text == "one\n"
    assert server.post("SELECT * FROM ext", session_id="e").status_code == 404


@pytest.mark.parametrize("more", [{}, {"readonly": "1"}, {"readonly": "2"}])
def test_settings_are_for_the_rows_of_external_tables_too(server, more):
    params = {"ext_structure": "a UInt8", "ext_format": "CSV", "query": "SELECT sum(a) FROM ext"}
    params |= {"input_format_allow_errors_num": "1"} | more
    response = server.http.post(server.url, params=params, files={"ext": ("x", b"1\nbad\n2\n")})
    assert response.text == "3\n"


@pytest.mark.parametrize("session", [{}, {"session_id": "ro"}])
@pytest.mark.parametrize(
    ("readonly", "sql", "code"),
    [
        ("1", "CREATE TABLE no (a Int8) ENGINE = Memory", "164"),
        ("1", "INSERT INTO FUNCTION null('a Int8') VALUES (1)", "164"),
        ("1", "SET max_threads = 1", "164"),
        ("1", "SELECT 1", None),
        ("2", "CREATE TABLE no (a Int8) ENGINE = Memory", "164"),
        ("2", "SET max_threads = 1", None),
        ("0", "CREATE OR REPLACE TEMPORARY TABLE yes (a Int8) ENGINE = Memory", None),
    ],
)
def test_readonly_holds_for_the_query(server, session, readonly, sql, code):
    response = server.post(sql, readonly=readonly, **session)
    assert response.headers.get("x-clickhouse-exception-code") == code


def test_what_only_reads_leaves_its_session_as_it_was(server):
    send = {"session_id": "kept"}
    assert server.http.get(server.url, params=send | {"query": "SELECT 1"}).text == "1\n"
    assert server.sql("SELECT 1", readonly="1", **send) == "1"
    server.sql("CREATE TEMPORARY TABLE mine (a Int8)", **send)
    server.sql("CREATE OR REPLACE TABLE written (a Int8) ENGINE = Memory", **send)
    server.sql("DROP TABLE written", **send)
