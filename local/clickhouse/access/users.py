"""The users of a fresh ClickHouse server, and the limits of the read-only one."""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass, field

from lib.clickhouse_errors import Code
from local.clickhouse.errors import QueryError, refusal


@dataclass(frozen=True, slots=True)
class User:
    """A user; a read-only one has limits, which the engine enforces."""

    name: str
    may_write: bool
    limits: Mapping[str, str] = field(default_factory=dict)


# Enough for any endpoint over a day of ticks, and too little to slow down the job beside it.
READER_LIMITS = {
    "max_execution_time": "10",
    "max_memory_usage": "1000000000",
    "max_result_rows": "1000000",
    "max_result_bytes": "500000000",
    "max_threads": "2",
    "max_query_size": "262144",
    "max_ast_elements": "20000",
    "max_subquery_depth": "50",
    "max_temporary_columns": "1000",
    "max_bytes_before_external_sort": "0",
    "max_bytes_before_external_group_by": "0",
    "allow_introspection_functions": "0",
}

USERS = {
    "default": User("default", may_write=True),
    "reader": User("reader", may_write=False, limits=READER_LIMITS),
}


def authenticate(headers: Mapping[str, str], params: Mapping[str, str]) -> User:
    """The user that a request names by header, basic auth or parameter; raise QueryError if it uses
    two of these ways."""
    schemes = [
        "x-clickhouse-user" in headers or "x-clickhouse-key" in headers,
        "authorization" in headers,
        "user" in params or "password" in params,
    ]
    if sum(schemes) > 1:
        raise _refused("Invalid authentication: it is not allowed to mix ways of authentication")
    name = _name(headers, params) or "default"
    if name not in USERS:
        raise _refused(
            f"{name}: Authentication failed: password is incorrect, "
            "or there is no user with such name."
        )
    return USERS[name]


def _name(headers: Mapping[str, str], params: Mapping[str, str]) -> str:
    """The user's name. Passwords are not compared: no user has one, so a server accepts any."""
    if "authorization" in headers:
        return _basic(headers["authorization"])
    return headers.get("x-clickhouse-user") or params.get("user", "")


def _basic(value: str) -> str:
    scheme, _, encoded = value.partition(" ")
    if scheme.lower() != "basic":
        raise _refused(
            f"Invalid authentication: '{scheme}' HTTP Authorization scheme is not supported"
        )
    try:
        return b64decode(encoded, validate=True).decode().partition(":")[0]
    except (Base64Error, UnicodeDecodeError):
        raise _refused("Invalid authentication: the Basic credentials cannot be decoded") from None


def _refused(message: str) -> QueryError:
    return refusal(Code.AUTHENTICATION_FAILED, message)
