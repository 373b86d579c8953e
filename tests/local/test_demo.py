"""The line of newest prices, out of an API that is a double here."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest

from lib import conf, ports
from lib.settings import Api
from local import demo

Serve = Callable[[int, str], Api]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts an API whose every answer is the given one, and returns its settings."""
    servers: list[ThreadingHTTPServer] = []

    def serve(status: int, body: str) -> Api:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status if self.path == "/api/latest" else 404)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=[0.05]).start()
        return at(server.server_port)

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def at(port: int) -> Api:
    return msgspec.structs.replace(conf.load(environ={}).api, host="127.0.0.1", port=port)


@pytest.mark.parametrize(
    ("status", "body", "line"),
    [
        (200, '{"data": [{"symbol": "A", "price": 1234.5}, {"symbol": "B", "price": 2}]}',
         "A 1,234.50  B 2.00"),
        (200, '{"data": []}', "no ticks yet"),
        (503, '{"detail": "ClickHouse does not answer."}', "ClickHouse does not answer."),
    ],
)  # fmt: skip
def test_an_answer_of_the_api_is_one_line(serve: Serve, status: int, body: str, line: str) -> None:
    assert demo._prices(serve(status, body)) == line


def test_there_is_no_line_until_the_api_answers() -> None:
    assert demo._prices(at(ports.free(1)[0])) == ""
