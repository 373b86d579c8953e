"""Parameters of a request: those of the interface itself, and the values that they may have."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl
from uuid import uuid4

from lib.clickhouse_errors import Code
from local.clickhouse.errors import refusal

# Every other parameter is a setting.
RESERVED = {
    "query", "user", "password", "quota_key", "database", "default_format", "session_id",
    "session_timeout", "session_check", "close_session", "compress", "decompress", "stacktrace",
    "buffer_size", "wait_end_of_query", "query_id", "role", "client_protocol_version",
}  # fmt: skip
NO_CHECKSUM = "http_native_compression_disable_checksumming_on_decompress"
# Characters that no header may hold.
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DEFAULT_TIMEOUT, _MAX_TIMEOUT = 60, 3600
# Python refuses to convert a text of several thousand digits.
_MAX_DIGITS = 20


def read_params(query_string: bytes) -> dict[str, str]:
    """The parameters in the address; a byte that is not UTF-8 is kept as a surrogate."""
    text = query_string.decode("latin-1")
    return dict(parse_qsl(text, keep_blank_values=True, errors="surrogateescape"))


def query_id(params: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """The query's id, which the response's headers repeat; a new one by default."""
    text = params.get("query_id") or headers.get("x-clickhouse-query-id", "")
    if CONTROL.search(text):
        raise refusal(Code.BAD_ARGUMENTS, "The query_id has a control character")
    return text or str(uuid4())


def session_timeout(text: str | None) -> int:
    """The session_timeout parameter, as a server checks it."""
    if text is None:
        return _DEFAULT_TIMEOUT
    if not text.isascii() or not text.isdigit():
        raise refusal(Code.INVALID_SESSION_TIMEOUT, f"Invalid session timeout: '{text}'")
    if len(text) > _MAX_DIGITS or int(text) > _MAX_TIMEOUT:
        raise refusal(
            Code.INVALID_SESSION_TIMEOUT,
            f"Session timeout '{text}' is larger than max_session_timeout: {_MAX_TIMEOUT}.",
        )
    return int(text)


def protocol_version(text: str | None) -> int:
    """The client_protocol_version parameter: a number, or 0 for a client that states none."""
    if not text or not text.isascii() or not text.isdigit():
        return 0
    if len(text) > _MAX_DIGITS:
        raise refusal(Code.BAD_ARGUMENTS, "client_protocol_version is not a 64-bit number")
    return int(text)


def is_true(text: str | None) -> bool:
    return text is not None and text.lower() in ("1", "true")
