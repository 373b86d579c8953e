"""Requests: the values of the parameters, the format and the cursor, validated and bound."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from api.contract import cursors, parameters
from api.contract.endpoints import AFTER, Endpoint, reads_after
from api.contract.parameters import Parameter
from api.problems import ProblemError, bad_parameter
from api.query import formats, keys
from api.query.formats import JSON, Format
from api.query.keys import UNRESTRICTED, Restrictions
from api.query.registry import Query
from lib.errors import did_you_mean

MAX_FIELDS = 200


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """A query of ClickHouse; equal ones share an answer."""

    name: str
    sql: str
    bound: tuple[tuple[str, str], ...]
    format: Format
    limit: int | None


def read_request(
    query: Query, query_string: bytes, accept: str, restrictions: Restrictions = UNRESTRICTED
) -> QueryRequest:
    """Validate a request against its endpoint and the restrictions of its key; raise ProblemError
    that names the wrong parameter."""
    fields = _fields(query_string)
    values = _values(query.endpoint, fields, restrictions)
    format = formats.choose(fields.get("format"), accept)
    bound = {
        parameter.name: parameters.bind(parameter, values[parameter.name])
        for parameter in query.endpoint.parameters
    }
    cursor = fields.get("cursor")
    limit = values["limit"] if query.endpoint.keys else None
    if limit is not None:
        bound["_rows"] = str(limit + (format.name == "json"))
        last = _cursor(query, cursor) if cursor else {}
        bound |= last
        if reads_after(query.endpoint):
            bound[AFTER] = next(iter(last.values()), cursors.NO_ROW)
    sql = query.sql(as_text=format.as_text, after=bool(cursor))
    return QueryRequest(query.endpoint.name, sql, tuple(bound.items()), format, limit)


def read_followed(
    query: Query, query_string: bytes, restrictions: Restrictions
) -> QueryRequest | frozenset[str]:
    """The query that a client follows, or the keys of a stream, of which none means all; raise
    ProblemError as `read_request` does."""
    stream = query.endpoint.stream
    if stream is None:
        return read_request(query, query_string, JSON, restrictions)
    return frozenset(_values(query.endpoint, _fields(query_string), restrictions)[stream.filter])


def _fields(query_string: bytes) -> dict[str, list[str]]:
    """The parameters of a URL, each with all its values."""
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise ProblemError(400, "The parameters are not UTF-8, or too many.") from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


def _check_known(endpoint: Endpoint, fields: Mapping[str, list[str]]) -> None:
    known = [parameter.name for parameter in endpoint.parameters]
    if not endpoint.stream:
        known.append("format")
    if endpoint.keys:
        known.append("cursor")
    for name in fields:
        if name not in known:
            remedy = did_you_mean(name[:100], known, "it takes")
            detail = f"/api/{endpoint.name} has no parameter {name[:60]!r}; {remedy}"
            raise ProblemError(400, detail, parameter=name[:60], takes=known)


def _values(
    endpoint: Endpoint, fields: Mapping[str, list[str]], restrictions: Restrictions
) -> dict[str, Any]:
    keys.check_usable(endpoint, restrictions)
    _check_known(endpoint, fields)
    return {
        parameter.name: keys.restrict(
            parameter,
            _value(parameter, fields.get(parameter.name)),
            restrictions,
            is_default=parameter.name not in fields,
        )
        for parameter in endpoint.parameters
    }


def _value(parameter: Parameter, texts: list[str] | None) -> Any:
    if texts is None:
        if parameter.required:
            raise bad_parameter(parameter.name, parameter.takes)
        return parameter.default
    try:
        return parameters.parse(parameter, texts)
    except ValueError:
        raise bad_parameter(parameter.name, parameter.takes, ",".join(texts)) from None


def _cursor(query: Query, texts: list[str]) -> dict[str, str]:
    try:
        (cursor,) = texts
        return cursors.decode(query.endpoint.name, query.endpoint.keys, query.key_types, cursor)
    except ValueError:
        takes = "the value of `next` in an answer of this endpoint"
        raise bad_parameter("cursor", takes, ",".join(texts)) from None
