"""The health of ClickHouse and, by health.sql, of the rest of the pipeline."""

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec

from api.problems import ProblemError
from api.query.formats import JSON
from api.query.request import read_request
from api.query.responses import BufferedResponse
from api.query.service import QueryService

_WORST_FIRST = ("down", "starting", "empty")

# A ClickHouse without an answer for so many seconds is down: a probe does not wait for the timeout
# of a query.
TIMEOUT = 3.0


@dataclass(frozen=True, slots=True)
class Health:
    """`status` is the worst of the parts: down, starting, empty (no tick yet) or up; `parts` are
    the rows of health.sql."""

    status: str
    clickhouse: str
    parts: list[dict[str, Any]]


async def check(service: QueryService) -> Health:
    """Query the endpoint `health` if it exists, else only ClickHouse."""
    try:
        async with asyncio.timeout(TIMEOUT):
            return await _check(service)
    except TimeoutError:
        return Health("down", "down", [])


async def _check(service: QueryService) -> Health:
    try:
        if "health" not in service.registry:
            await service.client.fetch("SELECT 1", {}, "TSV")
            return Health("up", "up", [])
        query = service.find("health")
        response = await service.answer(query, read_request(query, b"", JSON))
    except ProblemError as problem:
        # Any status but 503 is a fault of health.sql.
        return Health("down", "down" if problem.status == 503 else "up", [])
    rows = msgspec.json.decode(response.body) if isinstance(response, BufferedResponse) else {}
    parts = rows.get("data", [])
    statuses = {part.get("status") for part in parts}
    return Health(next((each for each in _WORST_FIRST if each in statuses), "up"), "up", parts)
