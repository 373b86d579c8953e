"""Errors as problem details (RFC 9457), for programs and people."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """An error of a request: its status, the fact and the remedy, and extension members."""

    def __init__(
        self, status: int, detail: str, headers: Mapping[str, str] | None = None, **extensions: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.extensions = extensions

    def body(self) -> bytes:
        """The problem as JSON."""
        title = HTTPStatus(self.status).phrase
        fields = {"type": "about:blank", "title": title, "status": self.status}
        return msgspec.json.encode({**fields, "detail": self.detail, **self.extensions})


def bad_parameter(name: str, takes: str, value: str | None = None) -> ProblemError:
    """The problem of a missing or invalid parameter; the value is shown, shortened."""
    fact = "is missing" if value is None else f"is {_short(value)}"
    return ProblemError(400, f"{name} {fact}; it takes {takes}.", parameter=name, takes=takes)


def _short(value: str) -> str:
    return repr(value if len(value) <= 60 else f"{value[:60]}...")
