"""Addresses and free ports."""

import random
import re
import socket

from lib.errors import SetupError

# The loopback interface, which no other machine reaches.
_LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?", re.IGNORECASE)


def is_loopback(authority: str) -> bool:
    """Whether a host as in a URL, with its port or without, is loopback."""
    return bool(_LOOPBACK.fullmatch(authority))


def address(host: str, port: int) -> str:
    """host:port as in a URL, where an address of IPv6 has brackets (RFC 3986, 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As servers do: a port whose last connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


# Below the ports that the kernel gives to outgoing connections, so that they stay free until a
# server takes them.
FREE = range(20_000, 32_000)


def free(count: int) -> list[int]:
    """Free ports of the loopback interface."""
    numbers = random.sample(FREE, 1_000)
    return random.sample([port for port in numbers if is_free("127.0.0.1", port)], count)


def check_free(host: str, port: int, setting: str) -> None:
    """Raise SetupError naming the port and the setting to change if another program has it."""
    if not is_free(host, port):
        variable = f"MILLRACE_{setting.upper().replace('.', '__')}"
        raise SetupError(
            f"port {port} on {host} is in use; end what uses it, or change {setting} ({variable})."
        )
