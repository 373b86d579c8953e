"""The proxy cuts an insert where it is told to, and passes on everything else."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from lib.ports import free
from tests.chaos.proxy import Proxy

INSERT = b"INSERT INTO stocks.ticks FORMAT ArrowStream\n"


class Server(ThreadingHTTPServer):
    """Answers each request, and keeps those that came whole."""

    def __init__(self) -> None:
        came = self.came = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                came.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=[0.05]).start()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    proxy = Proxy(free(1)[0], server.server_port)
    yield proxy
    proxy.close()


def post(proxy: Proxy, content: bytes) -> int:
    return httpx.post(f"http://127.0.0.1:{proxy.port}/", content=content).status_code


def test_an_insert_whose_answer_is_cut_has_arrived(server: Server, proxy: Proxy) -> None:
    proxy.cut_insert("answer")
    assert post(proxy, b"SELECT 1") == 200
    with pytest.raises(httpx.TransportError):
        post(proxy, INSERT)
    proxy.wait_cut(30)
    assert server.came == [b"SELECT 1", INSERT]
    assert post(proxy, INSERT) == 200


def test_an_insert_whose_request_is_cut_has_no_answer(proxy: Proxy) -> None:
    proxy.cut_insert("request")
    with pytest.raises(httpx.TransportError):
        post(proxy, INSERT)
    proxy.wait_cut(30)
    assert post(proxy, INSERT) == 200


def test_connections_are_refused_until_they_are_accepted_again(proxy: Proxy) -> None:
    proxy.refuse()
    with pytest.raises(httpx.TransportError):
        post(proxy, b"SELECT 1")
    proxy.accept()
    assert post(proxy, b"SELECT 1") == 200
