"""Connect to ClickHouse, and explain why a connection fails."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from lib.clickhouse_errors import ACCESS
from lib.errors import ServiceError, UnavailableError, one_line
from lib.settings import ClickHouse
from lib.waiting import until

# The client logs each failed attempt to connect; that is for a log file, if the program has one.
logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())


def connect(settings: ClickHouse, *, compress: bool = True) -> Client:
    """Return a client that threads may share; raise ServiceError if ClickHouse does not answer."""
    with explained(settings):
        return clickhouse_connect.get_client(
            host=settings.host,
            port=settings.port,
            username=settings.user,
            password=settings.password,
            compress=compress,
            # A session would forbid concurrent use.
            autogenerate_session_id=False,
            connect_timeout=5,
            send_receive_timeout=60,
        )


@contextmanager
def explained(settings: ClickHouse) -> Iterator[None]:
    """Turn an error of the driver into a ServiceError with address, fact and remedy."""
    try:
        yield
    except DatabaseError as error:
        if error.code is None:
            raise _unavailable(settings) from error
        if error.code in ACCESS:
            raise ServiceError(
                f"ClickHouse at {settings.address}: user {settings.user} is refused; "
                "set clickhouse.user and clickhouse.password."
            ) from error
        raise ServiceError(
            f"ClickHouse at {settings.address}: {one_line(error)}; fix that in ClickHouse, or set "
            "clickhouse.host and clickhouse.port."
        ) from error
    except (ClickHouseError, OSError) as error:
        raise _unavailable(settings) from error


def _unavailable(settings: ClickHouse) -> UnavailableError:
    return UnavailableError(
        f"ClickHouse at {settings.address} does not answer; start it with `make up` "
        "or set clickhouse.host and clickhouse.port."
    )


def wait(settings: ClickHouse, say: Callable[[str], None], timeout: float) -> Client:
    """Connect as soon as ClickHouse answers, and report the wait; raise after `timeout` seconds."""
    message = f"waiting for ClickHouse at {settings.address}; `make up` starts it"
    return until(lambda: connect(settings), timeout, pause=0.5, waiting=lambda: say(message))


def make_database(client: Client, name: str, say: Callable[[str], None]) -> None:
    """Create a database if it does not exist, and report that. The name is quoted if need be."""
    if not client.command(f"EXISTS DATABASE {name}"):
        client.command(f"CREATE DATABASE IF NOT EXISTS {name}")
        say(f"database {name}: made")
