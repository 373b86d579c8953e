import socket

import pytest

from lib import ports
from lib.errors import SetupError


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0"])
def test_a_port_is_taken_while_a_server_listens(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as server:
        server.bind((host, 0))
        server.listen()
        port = server.getsockname()[1]
        assert not ports.is_free(host, port)
        with pytest.raises(SetupError) as error:
            ports.check_free(host, port, "flink.rest_port")
        assert str(error.value) == (
            f"port {port} on {host} is in use; end what uses it, or change flink.rest_port "
            "(MILLRACE_FLINK__REST_PORT)."
        )
    assert ports.is_free(host, port)
    ports.check_free(host, port, "flink.rest_port")


@pytest.mark.parametrize(
    ("host", "written"), [("127.0.0.1", "127.0.0.1:80"), ("db", "db:80"), ("::1", "[::1]:80")]
)
def test_an_address_can_stand_in_a_url(host: str, written: str) -> None:
    assert ports.address(host, 80) == written


@pytest.mark.parametrize(
    ("authority", "is_loopback"),
    [
        ("localhost", True), ("LOCALHOST:80", True), ("127.1.2.3:80", True), ("[::1]:80", True),
        ("127.evil.example", False), ("localhost.evil.example", False), ("0.0.0.0", False),
        ("[::2]", False), ("localhost:80 evil", False), ("", False),
    ],
)  # fmt: skip
def test_an_authority_is_loopback_with_or_without_its_port(
    authority: str, is_loopback: bool
) -> None:
    assert ports.is_loopback(authority) is is_loopback


def test_free_ports_differ_and_are_outside_the_kernels_range() -> None:
    free = ports.free(50)
    assert len(set(free)) == 50
    assert all(20_000 <= port < 32_000 and ports.is_free("127.0.0.1", port) for port in free)


def test_a_port_with_closing_connections_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        client = socket.create_connection(address)
        accepted, _ = server.accept()
        accepted.close()
        client.close()
    assert ports.is_free(*address)
