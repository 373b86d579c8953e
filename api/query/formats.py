"""Formats of answers, and the choice of one by `?format=` or Accept."""

import re
from dataclasses import dataclass

from litestar.datastructures.headers import Accept

from api.problems import ProblemError, bad_parameter

JSON = "application/json"
EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Format:
    """A format: our name, ClickHouse's, and the media type."""

    name: str
    clickhouse: str
    media_type: str

    @property
    def as_text(self) -> bool:
        """Whether times and large numbers are text, as the format has no types for them."""
        return self.has_json_rows or self.name == "csv"

    @property
    def has_json_rows(self) -> bool:
        """Whether each line is a JSON object."""
        return self.clickhouse == "JSONEachRow"


FORMATS = {
    format.name: format
    for format in (
        Format("json", "JSONEachRow", JSON),
        Format("ndjson", "JSONEachRow", "application/x-ndjson"),
        Format("csv", "CSV", "text/csv"),
        Format("arrow", "ArrowStream", "application/vnd.apache.arrow.stream"),
        Format("parquet", "Parquet", "application/vnd.apache.parquet"),
    )
}
_BY_MEDIA_TYPE = {format.media_type: format for format in FORMATS.values()}
_UNACCEPTABLE = re.compile(r"[^,]*;\s*q=0(\.0*)?\s*(?=,|$)", re.IGNORECASE)


def choose(names: list[str] | None, accept: str) -> Format:
    """The format that the parameter names, else the most preferred of Accept; raise ProblemError
    if there is none."""
    if names is not None:
        if len(names) != 1 or names[0] not in FORMATS:
            raise bad_parameter("format", f"one of {', '.join(FORMATS)}", ",".join(names))
        return FORMATS[names[0]]
    media_type = _best_match(accept, [*_BY_MEDIA_TYPE])
    if media_type is None:
        raise ProblemError(
            406,
            f"Accept has no supported format; use one of {', '.join(FORMATS)} by ?format= or "
            "Accept.",
            takes=[*_BY_MEDIA_TYPE],
        )
    return _BY_MEDIA_TYPE[media_type]


def prefers_events(accept: str) -> bool:
    """Whether a request asks to follow the endpoint."""
    return _best_match(accept, [*_BY_MEDIA_TYPE, EVENT_STREAM]) == EVENT_STREAM


def _best_match(accept: str, media_types: list[str]) -> str | None:
    # Litestar takes a type with q=0, which is not acceptable, as the least preferred one.
    return Accept(_UNACCEPTABLE.sub("", accept.strip() or "*/*")).best_match(media_types)
