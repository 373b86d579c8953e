"""The OpenAPI 3.1 description of the endpoints, made from their files and what ClickHouse says."""

from typing import Any

from api.contract.parameters import Param
from api.http.schemas import schema
from api.query.registry import Query, Registry
from api.query.responses import FORMATS

VERSION = "3.1.0"
_PROBLEMS = {
    "400": "A parameter is missing, unknown or not what it should be.",
    "401": "A key is needed and not given.",
    "403": "Not for this key, or asked for by a name that is not this machine's.",
    "404": "There is no such endpoint.",
    "406": "Accept names no format there is.",
    "413": "The request has a body.",
    "414": "The address is too long.",
    "429": "The key asks more often than it may; Retry-After says when to try again.",
    "500": "The endpoint failed; the log says why.",
    "503": "ClickHouse is away or busy; Retry-After says when to try again.",
    "504": "The query took longer than it may.",
}
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "parameter": {"type": "string", "description": "Which parameter is wrong."},
        "takes": {"description": "What it takes."},
        "endpoints": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["type", "title", "status", "detail"],
}
_FORMAT = {
    "name": "format",
    "in": "query",
    "description": "How the rows are written; otherwise Accept says it.",
    "schema": {"type": "string", "enum": [*FORMATS]},
}
_CURSOR = {
    "name": "cursor",
    "in": "query",
    "description": "`next` of the page before.",
    "schema": {"type": "string"},
}

_SEPARATED = (
    "\n\nValues are separated by commas; in a value `\\,` is a comma and `\\\\` a backslash."
    " Where the parameter is repeated, each text is one value as it stands."
)
_REPEATED = "\n\nRepeat the parameter for each value."


def document(registry: Registry, *, keys: bool) -> dict[str, Any]:
    """Every endpoint: its parameters, its rows, its errors."""
    components: dict[str, Any] = {"schemas": {"Problem": _PROBLEM}}
    if keys:
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": VERSION,
        "info": {
            "title": "Millrace",
            "version": "1",
            "description": "Each endpoint is a SQL file; ClickHouse answers it.",
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
            *(_parameter(param) for param in endpoint.params),
            *([_CURSOR] if endpoint.keys else []),
            *([] if endpoint.stream else [_FORMAT]),
        ],
        "responses": {
            "200": _events(query) if endpoint.stream else _rows(query),
            **_problems(),
        },
    }


def _parameter(param: Param) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": param.name,
        "in": "query",
        "description": param.text,
        "required": param.required,
        "schema": param.schema,
    }
    if param.is_array:
        found |= {"style": "form", "explode": param.is_repeated}
        found["description"] += _REPEATED if param.is_repeated else _SEPARATED
    return found


def _row(query: Query) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: schema(kind) for name, kind in query.columns.items()},
        "required": [*query.columns],
    }


def _events(query: Query) -> dict[str, Any]:
    rows = {"type": "array", "items": _row(query)}
    return {
        "description": "Server-sent events; the data of each is a list of rows. Named `newest` "
        "where a client was too slow for all and gets the last row of each key. An id, sent "
        "back as Last-Event-ID, resumes behind its row.",
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
    others = [found for found in FORMATS.values() if found.name != "json"]
    return {
        "description": query.endpoint.summary,
        "headers": {"ETag": {"schema": {"type": "string"}}},
        "content": {
            "application/json": {"schema": envelope},
            **{found.media_type: {} for found in others},
            "text/event-stream": {"schema": {"type": "string"}},
        },
    }


def _problems() -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {code: {"description": text, "content": content} for code, text in _PROBLEMS.items()}
