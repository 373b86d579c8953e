"""A batch is stored whole, once, or not at all."""

import io
import socket
import threading
import time

import httpx
import pyarrow as pa
import pytest

from tests.local.clickhouse.conftest import Embedded

ROWS = b"1\n" * 1000


MILLION = 1_000_000


def arrow(count: int, rows_per_batch: int | None = None, first: int = 0) -> bytes:
    sink = io.BytesIO()
    table = pa.table({"a": pa.array(range(first, first + count), pa.int64())})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows_per_batch)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("fmt", "body"),
    [
        ("ArrowStream", arrow(MILLION)),
        ("ArrowStream", arrow(MILLION, 10_000)),
        ("JSONEachRow", b"".join(b'{"a": %d}\n' % n for n in range(MILLION))),
        ("CSV", b"".join(b"%d\n" % n for n in range(MILLION))),
        ("RowBinary", b"".join(n.to_bytes(8, "little") for n in range(MILLION))),
    ],
    ids=["arrow", "arrow in batches", "json", "csv", "rowbinary"],
)
def test_a_million_rows_are_one_part(server: Embedded, table: str, fmt: str, body: bytes) -> None:
    server.sql(f"SYSTEM STOP MERGES {table}")
    assert server.post(body, query=f"INSERT INTO {table} (a) FORMAT {fmt}").status_code == 200
    parts = f"FROM system.parts WHERE table = '{table}' AND active"
    assert server.sql(f"SELECT count(), sum(rows) {parts}") == f"1\t{MILLION}"


def test_a_token_stores_a_batch_once(server: Embedded, table: str) -> None:
    for token in ("one", "one", "two"):
        settings = {"insert_deduplication_token": token, "async_insert": "0"}
        server.sql(b"1\n", query=f"INSERT INTO {table} (a) FORMAT CSV", **settings)
    assert server.sql(f"SELECT count() FROM {table}") == "2"


@pytest.mark.parametrize("fmt", ["JSONEachRow", "CSV", "ArrowStream"])
def test_a_bad_row_at_the_end_stores_nothing(server: Embedded, table: str, fmt: str) -> None:
    body = {
        "JSONEachRow": b'{"a": 1}\n' * 50_000 + b'{"a": "x"}\n',
        "CSV": b"1\n" * 50_000 + b"x\n",
        "ArrowStream": arrow(50_000, 1000)[:-5000],
    }[fmt]
    response = server.post(body, query=f"INSERT INTO {table} (a) FORMAT {fmt}")
    assert response.status_code >= 400
    assert server.sql(f"SELECT count() FROM {table}") == "0"


HEAD = (
    b"POST /?query=INSERT%20INTO%20rows%20(a)%20FORMAT%20CSV HTTP/1.1\r\n"
    b"Host: localhost\r\nConnection: close\r\n"
)


@pytest.mark.parametrize(
    "request_bytes",
    [
        HEAD + b"Content-Length: 4000\r\n\r\n" + ROWS,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n7d0\r\n" + ROWS + b"\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n7d0\r\n" + ROWS,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n7d0\r\n" + ROWS + b"\r\nzz\r\n1\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nfff\r\n" + ROWS,
    ],
    ids=["length not reached", "no last chunk", "no end of chunk", "bad chunk", "chunk too short"],
)
@pytest.mark.parametrize("goodbye", ["close", "half close", "reset"])
def test_an_incomplete_body_stores_nothing(
    server: Embedded, table: str, request_bytes: bytes, goodbye: str
) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(request_bytes)
        time.sleep(0.05)
        if goodbye == "half close":
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(90)
            connection.recv(1000)
        if goodbye == "reset":
            linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    time.sleep(0.1)
    assert server.sql(f"SELECT count() FROM {table}") == "0"


def test_a_chunked_body_is_stored(server: Embedded, table: str) -> None:
    pieces = (b"%d\n" % n for n in range(5000))
    params = {"query": f"INSERT INTO {table} (a) FORMAT CSV"}
    assert server.http.post(server.url, params=params, content=pieces).status_code == 200
    assert server.sql(f"SELECT count() FROM {table}") == "5000"


def test_readers_see_whole_batches_while_a_writer_inserts(server: Embedded, table: str) -> None:
    seen, stop = [], threading.Event()

    def read() -> None:
        with httpx.Client(timeout=90) as client:
            while not stop.is_set():
                answer = client.post(server.url, content=f"SELECT count() FROM {table}").text
                seen.append(int(answer))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    number = 0
    while number < 25 or len(set(seen)) <= 3:
        query = f"INSERT INTO {table} (a) FORMAT ArrowStream"
        body = arrow(20_000, first=number * 20_000)
        assert server.post(body, query=query).status_code == 200
        number += 1
    stop.set()
    for reader in readers:
        reader.join()
    assert {count % 20_000 for count in seen} == {0}
