"""The OpenAPI 3.1 description of the endpoints, from their files and ClickHouse's types."""

from typing import Any

from api.contract.parameters import Parameter
from api.http.schemas import schema_of
from api.query.formats import FORMATS
from api.query.registry import Query, Registry

VERSION = "3.1.0"
_PROBLEMS = {
    "400": "A parameter is missing, unknown or invalid.",
    "401": "The request needs a key.",
    "403": "The key may not read this, or the Host header is not a name of this machine.",
    "404": "The endpoint does not exist.",
    "406": "Accept has no supported format.",
    "413": "The request has a body.",
    "414": "The address is too long.",
    "429": "The rate limit of the key is exceeded; Retry-After says when to try again.",
    "500": "The endpoint failed; the log says why.",
    "503": "ClickHouse is unavailable or busy; Retry-After says when to try again.",
    "504": "The query exceeded its time limit.",
}
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "parameter": {"type": "string", "description": "The invalid parameter."},
        "takes": {"description": "The valid values."},
        "endpoints": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["type", "title", "status", "detail"],
}
_FORMAT = {
    "name": "format",
    "in": "query",
    "description": "The format of the rows; without it, Accept decides.",
    "schema": {"type": "string", "enum": [*FORMATS]},
}
_CURSOR = {
    "name": "cursor",
    "in": "query",
    "description": "`next` of the previous page.",
    "schema": {"type": "string"},
}

_SEPARATED = (
    "\n\nValues are separated by commas; in a value `\\,` is a comma and `\\\\` a backslash."
    " If the parameter is repeated, each text is one value, taken literally."
)
_REPEATED = "\n\nRepeat the parameter for each value."


def document(registry: Registry, *, keys: bool) -> dict[str, Any]:
    """The description of every endpoint: parameters, rows, errors."""
    components: dict[str, Any] = {"schemas": {"Problem": _PROBLEM}}
    if keys:
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": VERSION,
        "info": {
            "title": "Millrace",
            "version": "1",
            "description": "Each endpoint is a SQL file that ClickHouse runs.",
        },
        "paths": {f"/api/{name}": {"get": _operation(query)} for name, query in registry.items()},
        "components": components,
        **({"security": [{"key": []}]} if keys else {}),
    }


def _operation(query: Query) -> dict[str, Any]:
    endpoint = query.endpoint
    return {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        **({"description": endpoint.description} if endpoint.description else {}),
        "parameters": [
            *(_parameter(parameter) for parameter in endpoint.parameters),
            *([_CURSOR] if endpoint.keys else []),
            *([] if endpoint.stream else [_FORMAT]),
        ],
        "responses": {
            "200": _events(query) if endpoint.stream else _rows(query),
            **_problems(),
        },
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": parameter.name,
        "in": "query",
        "description": parameter.description,
        "required": parameter.required,
        "schema": parameter.schema,
    }
    if parameter.is_array:
        described |= {"style": "form", "explode": parameter.is_repeated}
        described["description"] += _REPEATED if parameter.is_repeated else _SEPARATED
    return described


def _row(query: Query) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: schema_of(kind) for name, kind in query.columns.items()},
        "required": [*query.columns],
    }


def _events(query: Query) -> dict[str, Any]:
    rows = {"type": "array", "items": _row(query)}
    return {
        "description": "Server-sent events; the data of each is a list of rows. An event `newest` "
        "has only the last row of each key, for a client that was too slow for all. An event with "
        "another name has the rows of the stream whose `@event` it is. An id, sent as "
        "Last-Event-ID, resumes after its rows.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "x-data": rows}},
    }


def _rows(query: Query) -> dict[str, Any]:
    envelope = {
        "type": "object",
        "properties": {
            "data": {"type": "array", "items": _row(query)},
            "next": {
                "type": ["string", "null"],
                "description": "The cursor of the next page; null after the last row.",
            },
        },
        "required": ["data", "next"],
    }
    others = [format for format in FORMATS.values() if format.name != "json"]
    return {
        "description": query.endpoint.summary,
        "headers": {"ETag": {"schema": {"type": "string"}}},
        "content": {
            "application/json": {"schema": envelope},
            **{format.media_type: {} for format in others},
            "text/event-stream": {"schema": {"type": "string"}},
        },
    }


def _problems() -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {code: {"description": text, "content": content} for code, text in _PROBLEMS.items()}
