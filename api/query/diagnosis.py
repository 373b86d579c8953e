"""Find the parameter whose value makes ClickHouse refuse a query."""

from collections.abc import Collection
from dataclasses import replace

from api.contract.endpoints import AFTER, reads_after
from api.problems import ProblemError
from api.query import responses
from api.query.clickhouse import ClickHouseClient, QueryError
from api.query.registry import Query
from api.query.request import QueryRequest
from api.query.responses import StreamedResponse

CURSOR = "cursor"


async def find_invalid_parameter(
    client: ClickHouseClient, query: Query, request: QueryRequest
) -> ProblemError | None:
    """The problem that names the parameter; None if ClickHouse refuses the query with any value.

    The parameters that differ from the samples of the file's check are tried one by one."""
    bound = dict(request.bound)
    suspects = [
        name
        for name, text in query.samples.items()
        if bound.get(name, text) != text and not _is_of_cursor(query, name)
    ]
    if any(name.startswith("_cursor_") for name in bound):
        suspects.append(CURSOR)
    for name in suspects:
        if await _succeeds(client, query, request, [name]):
            return _problem(name, f"{name} = {bound.get(name, '...')}")
    if len(suspects) > 1 and await _succeeds(client, query, request, suspects):
        return _problem(", ".join(suspects), f"{' and '.join(suspects)} together")
    return None


async def _succeeds(
    client: ClickHouseClient, query: Query, request: QueryRequest, names: Collection[str]
) -> bool:
    """Whether the query succeeds with the samples of these parameters."""
    bound = {
        name: query.samples[name]
        if name in names or (CURSOR in names and _is_of_cursor(query, name))
        else text
        for name, text in request.bound
    }
    sql = request.sql
    if CURSOR in names:
        sql = query.sql(as_text=request.format.as_text, after=False)
    request = replace(request, sql=sql, bound=tuple(bound.items()))
    try:
        response = await responses.run(client, request)
    except (QueryError, ProblemError):
        # Too large or too slow with the samples: nothing is known.
        return False
    if isinstance(response, StreamedResponse):
        response.rest.close()
    return True


def _is_of_cursor(query: Query, name: str) -> bool:
    """Whether the value of a parameter comes from the cursor, not from the client."""
    return name == AFTER and reads_after(query.endpoint)


def _problem(names: str, values: str) -> ProblemError:
    values = values if len(values) <= 100 else f"{values[:100]}..."
    return ProblemError(
        400, f"ClickHouse cannot take {values}; give another value.", parameter=names
    )
