import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import closing

import pytest

from lib import asgi, ports
from lib.errors import SetupError
from tests.conftest import ROOT, wait_until


@pytest.fixture
def port() -> int:
    return ports.free(1)[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_port_in_use_is_an_error_that_names_the_setting(host: str, port: int) -> None:
    with closing(asgi.bind(host, port, "--port")) as first:
        first.listen()
        with pytest.raises(SetupError) as error:
            asgi.bind(host, port, "--port")
    assert str(error.value) == (
        f"{ports.address(host, port)}: the port is in use; end what listens there, "
        "or change --port."
    )


def test_an_address_of_no_interface_is_an_error(port: int) -> None:
    with pytest.raises(SetupError) as error:
        asgi.bind("192.0.2.1", port, "--host")
    fact = f"192.0.2.1:{port}: cannot be bound: Cannot assign requested address"
    assert str(error.value) == f"{fact}; change --host."


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b"])
def test_a_name_without_an_address_is_an_error(host: str, port: int) -> None:
    with pytest.raises(SetupError, match=rf"^{host}: no such address: .+; change --host\.$"):
        asgi.bind(host, port, "--host")


def test_of_two_that_are_bound_to_one_port_only_the_first_can_listen(port: int) -> None:
    first, second = (asgi.bind("127.0.0.1", port, "--port") for _ in range(2))
    with closing(first):
        asgi.listen(first, "--port")
        with pytest.raises(SetupError, match=rf"^127\.0\.0\.1:{port}: the port is in use; end "):
            asgi.listen(second, "--port")
    assert second.fileno() == -1


CODE = """
from lib import asgi

def make_app(is_stopping):
    async def app(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200 if not is_stopping() else 503})
            await send({"type": "http.response.body", "body": b"here"})
    return app

asgi.serve(make_app, asgi.bind("::1", %d, "--port"), log_level="warning", lifespan="off")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal_and_exits_with_0(port: int, number: signal.Signals) -> None:
    def is_up() -> bool:
        with closing(socket.socket(socket.AF_INET6)) as client:
            return client.connect_ex(("::1", port)) == 0

    with subprocess.Popen(
        [sys.executable, "-c", CODE % port], cwd=ROOT, stderr=subprocess.PIPE
    ) as process:
        try:
            wait_until(is_up)
            with urllib.request.urlopen(f"http://[::1]:{port}/", timeout=60) as response:
                assert (response.read(), response.headers["server"]) == (b"here", None)
        finally:
            process.send_signal(number)
        assert process.communicate(timeout=60) == (None, b"")
    assert process.returncode == 0


STOPPED_EARLY = """
import os, signal
from lib import asgi

asgi.serve(
    lambda is_stopping: os.kill(os.getpid(), signal.SIGTERM),
    asgi.bind("127.0.0.1", %d, "--port"),
)
"""


def test_a_signal_while_the_application_is_made_ends_the_program(port: int) -> None:
    code = STOPPED_EARLY % port
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60)
    assert ended.returncode == -signal.SIGTERM
