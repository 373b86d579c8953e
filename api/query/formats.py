"""Formats of answers, and the choice of one by `?format=` or Accept."""

import re
from dataclasses import dataclass

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
_WEIGHT = re.compile(r"0(\.[0-9]*)?|1(\.0*)?")


def choose(names: list[str] | None, accept: str) -> Format:
    """The format that the parameter names, else the most preferred of Accept; raise ProblemError
    if there is none."""
    if names is not None:
        if len(names) != 1 or names[0] not in FORMATS:
            raise bad_parameter("format", f"one of {', '.join(FORMATS)}", ",".join(names))
        return FORMATS[names[0]]
    for media_type in _preferred(accept):
        for format in FORMATS.values():
            if media_type in (format.media_type, "*/*", f"{format.media_type.split('/')[0]}/*"):
                return format
    raise ProblemError(
        406,
        f"Accept has no supported format; use one of {', '.join(FORMATS)} by ?format= or Accept.",
        takes=[format.media_type for format in FORMATS.values()],
    )


def prefers_events(accept: str) -> bool:
    """Whether a request asks to follow the endpoint."""
    return _preferred(accept)[:1] == [EVENT_STREAM]


def _preferred(accept: str) -> list[str]:
    """The acceptable media types of an Accept header, the most preferred first."""
    # Litestar's Accept raises an error at q=inf, and takes q=0, q=-1 and q=abc as acceptable.
    weighted = []
    for part in (accept.strip() or "*/*").lower().split(","):
        media_type, *options = (text.strip() for text in part.split(";"))
        quality = next((text[2:] for text in options if text.startswith("q=")), "1")
        weight = float(quality) if _WEIGHT.fullmatch(quality) else 0.0
        if weight > 0:
            weighted.append((weight, media_type))
    return [media_type for _, media_type in sorted(weighted, key=lambda pair: -pair[0])]
