"""Bytes beyond ASCII in a request's first line."""

import socket
import time

import pytest

from tests.local.clickhouse.conftest import Embedded


def raw(server: Embedded, target: bytes) -> bytes:
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
def test_any_byte_may_stand_in_an_address(server: Embedded, target: bytes, answer: bytes) -> None:
    assert raw(server, target) == answer


def test_the_body_of_a_pipelined_request_is_kept_as_it_came(server: Embedded, table: str) -> None:
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


def test_a_first_line_in_pieces_on_a_kept_connection(server: Embedded) -> None:
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
