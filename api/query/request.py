"""One request, read: the parameters' values, the format, the cursor."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from api.contract import cursors, parameters
from api.contract.endpoints import Endpoint
from api.contract.parameters import Param
from api.problems import ProblemError, bad_parameter
from api.query import keys
from api.query.keys import ALL, Only
from api.query.registry import Query
from api.query.responses import FORMATS, JSON, Format

MOST_FIELDS = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of ClickHouse; two requests that are equal here get one answer."""

    name: str
    sql: str
    bound: tuple[tuple[str, str], ...]
    format: Format
    limit: int | None


def read(query: Query, address: bytes, accept: str, only: Only = ALL) -> Asked:
    """Check a request against its endpoint and what its key may see; raise ProblemError naming the
    parameter that is wrong."""
    given = fields(address)
    values = _values(query.endpoint, given, only)
    fmt = _format(given.get("format"), accept)
    bound = {
        param.name: parameters.bound(param, values[param.name]) for param in query.endpoint.params
    }
    cursor = given.get("cursor")
    limit = values["limit"] if query.endpoint.keys else None
    if limit is not None:
        bound["_rows"] = str(limit + (fmt.name == "json"))
        bound |= _cursor(query, cursor) if cursor else {}
    sql = query.sql(as_text=fmt.as_text, after=bool(cursor))
    return Asked(query.endpoint.name, sql, tuple(bound.items()), fmt, limit)


def followed(query: Query, address: bytes, only: Only) -> Asked | frozenset[str]:
    """What is followed: an answer, or those keys of a stream, where none means all; raise
    ProblemError as `read` does."""
    stream = query.endpoint.stream
    if stream is None:
        return read(query, address, JSON, only)
    return frozenset(_values(query.endpoint, fields(address), only)[stream.filter])


def fields(address: bytes) -> dict[str, list[str]]:
    """The parameters of an address, each with all its values."""
    try:
        pairs = parse_qsl(
            address.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise ProblemError(400, "The parameters are not UTF-8, or too many.") from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _check_known(endpoint: Endpoint, given: Mapping[str, list[str]]) -> None:
    known = [param.name for param in endpoint.params]
    if not endpoint.stream:
        known.append("format")
    if endpoint.keys:
        known.append("cursor")
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name[:100], known, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"it takes {', '.join(known)}."
            detail = f"/api/{endpoint.name} has no parameter {name[:60]!r}; {remedy}"
            raise ProblemError(400, detail, parameter=name[:60], takes=known)


def _values(endpoint: Endpoint, given: Mapping[str, list[str]], only: Only) -> dict[str, Any]:
    keys.check_usable(endpoint, only)
    _check_known(endpoint, given)
    return {
        param.name: keys.restrict(
            param, _value(param, given.get(param.name)), only, is_given=param.name in given
        )
        for param in endpoint.params
    }


def _value(param: Param, given: list[str] | None) -> Any:
    if given is None:
        if param.required:
            raise bad_parameter(param.name, param.takes)
        return param.default
    try:
        return parameters.read(param, given)
    except ValueError:
        raise bad_parameter(param.name, param.takes, ",".join(given)) from None


def _cursor(query: Query, given: list[str]) -> dict[str, str]:
    try:
        (cursor,) = given
        return cursors.decode(query.endpoint.name, query.endpoint.keys, query.key_types, cursor)
    except ValueError:
        takes = "what `next` held in an answer of this endpoint"
        raise bad_parameter("cursor", takes, ",".join(given)) from None


def wants_events(accept: str) -> bool:
    """Whether a request would rather follow than ask once."""
    return _preferred(accept)[:1] == ["text/event-stream"]


def _format(given: list[str] | None, accept: str) -> Format:
    if given is not None:
        if len(given) != 1 or given[0] not in FORMATS:
            raise bad_parameter("format", f"one of {', '.join(FORMATS)}", ",".join(given))
        return FORMATS[given[0]]
    for media_type in _preferred(accept):
        for fmt in FORMATS.values():
            if media_type in (fmt.media_type, "*/*", f"{fmt.media_type.split('/')[0]}/*"):
                return fmt
    raise ProblemError(
        406,
        f"Accept names no format there is; take one of {', '.join(FORMATS)} by ?format= or Accept.",
        takes=[fmt.media_type for fmt in FORMATS.values()],
    )


def _preferred(accept: str) -> list[str]:
    """The media types of an Accept header, the most wanted first."""
    if not accept.strip():
        return ["*/*"]
    found = []
    for part in accept.lower().split(","):
        media_type, *options = (text.strip() for text in part.split(";"))
        quality = next((text[2:] for text in options if text.startswith("q=")), "1")
        try:
            weight = float(quality)
        except ValueError:
            weight = 0.0
        if weight > 0:
            found.append((weight, media_type))
    return [media_type for _, media_type in sorted(found, key=lambda pair: -pair[0])]
