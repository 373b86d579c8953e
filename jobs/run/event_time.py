"""Whether event time goes on: windows and patterns wait while the watermark stands still."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from jobs.kafka import sources
from lib.sqlfiles import SqlFile, without_comments

# How long a watermark may stand still while records come, in seconds: longer than a partition
# without records holds it back by default.
LIMIT = 30.0

_WATERMARK = re.compile(r"\bWATERMARK\s+FOR\b", re.IGNORECASE)


def has_watermark(files: Iterable[SqlFile]) -> bool:
    """Whether a source of a job has a watermark."""
    return any(
        sources.is_source(file) and _WATERMARK.search(without_comments(file.text)) for file in files
    )


class EventTime:
    """The watermark of a run, as far as it was seen. `records` are those that were read so far;
    `notice` is what is wrong, and empty if nothing is."""

    def __init__(self) -> None:
        self.records = 0.0
        self.notice = ""
        self._watermark: int | None = None
        # Since when it has this value, and when records were last seen to come since then.
        self._since: float | None = None
        self._newest: float | None = None
        self._seen = 0.0

    def see(self, now: float, watermark: int | None) -> None:
        """Note the watermark, in milliseconds since 1970, at a time in seconds of any clock."""
        if self._since is None or watermark != self._watermark or self.records < self._seen:
            self._watermark, self._since, self._newest = watermark, now, None
        elif self.records > self._seen:
            self._newest = now
        self._seen = self.records
        # A topic that is silent is no fault.
        is_still = self._newest is not None and self._newest - self._since >= LIMIT
        self.notice = self._text() if is_still else ""

    def _text(self) -> str:
        at = "it has not begun"
        if self._watermark is not None:
            at = f"at {datetime.fromtimestamp(self._watermark / 1000, UTC):%Y-%m-%d %H:%M:%S}"
        return (
            f"event time stands still ({at}) while records come, and windows and patterns wait: "
            "set table.exec.source.idle-timeout if a partition has no records, or see whether the "
            "times of the records grow"
        )
