"""Whether the parts answer: ClickHouse, and what health.sql says of the rest."""

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec

from api.problems import ProblemError
from api.query import request, responses
from api.query.responses import Whole
from api.query.service import Service

_WORST = ("down", "starting", "empty")

# A ClickHouse that has no answer for so long counts as away, in seconds: who asks does not wait
# for the limit of a query.
PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class Health:
    """`status` is the worst of the parts: down, starting, empty (nothing has come yet) or up;
    `parts` are the rows of health.sql."""

    status: str
    clickhouse: str
    parts: list[dict[str, Any]]


async def ask(service: Service) -> Health:
    """Ask each part; the endpoint health, if there is one, speaks for the pipeline."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await _ask(service)
    except TimeoutError:
        return Health("down", "down", [])


async def _ask(service: Service) -> Health:
    try:
        if "health" not in service.registry:
            await service.store.ask("SELECT 1", {}, "TSV")
            return Health("up", "up", [])
        query = service.find("health")
        answer = await service.answer(query, request.read(query, b"", responses.JSON))
    except ProblemError as problem:
        # Anything but 503 is the fault of health.sql.
        return Health("down", "down" if problem.status == 503 else "up", [])
    rows = msgspec.json.decode(answer.body)["data"] if isinstance(answer, Whole) else []
    found = {row.get("status") for row in rows}
    return Health(next((bad for bad in _WORST if bad in found), "up"), "up", rows)
