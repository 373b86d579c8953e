"""What a check has found, and how an error becomes a finding."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from lib.errors import MillraceError


@dataclass(frozen=True, slots=True)
class Finding:
    """A fact about one thing, with a remedy if it is not as it should be."""

    check: str
    fact: str
    remedy: str = ""

    @property
    def is_ok(self) -> bool:
        return not self.remedy

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.is_ok, **asdict(self)}


Check = Callable[[], Iterator[Finding]]


def of_error(check: str, error: MillraceError) -> Iterator[Finding]:
    """A finding for each line of an error, which has its remedy after the last semicolon."""
    for line in error.lines:
        fact, _, remedy = line.rpartition("; ")
        yield Finding(check, fact or line, remedy.removesuffix(".") if fact else "see above")


def found(check: str, look: Check) -> Iterator[Finding]:
    """What a check finds; an error ends it."""
    try:
        yield from look()
    except MillraceError as error:
        yield from of_error(check, error)
