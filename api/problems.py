"""What went wrong, for a program and a person: RFC 9457 problem details."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """An answer that is an error: its status, what is wrong, and how to do better."""

    def __init__(
        self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more

    def body(self) -> bytes:
        """The problem as JSON."""
        title = HTTPStatus(self.status).phrase
        fields = {"type": "about:blank", "title": title, "status": self.status}
        return msgspec.json.encode({**fields, "detail": self.detail, **self.more})


def bad_parameter(name: str, takes: str, value: str | None = None) -> ProblemError:
    """A parameter that is not what it should be; the value is shown, cut short."""
    given = "is missing" if value is None else f"is {_short(value)}"
    return ProblemError(400, f"{name} {given}; it takes {takes}.", parameter=name, takes=takes)


def _short(value: str) -> str:
    return repr(value if len(value) <= 60 else f"{value[:60]}...")
