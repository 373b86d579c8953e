"""Whose fault a refused query is: a parameter's value, or the file's SQL with any."""

from collections.abc import Collection
from dataclasses import replace

from api.problems import ProblemError
from api.query import responses
from api.query.clickhouse import RefusedError, Store
from api.query.registry import Query
from api.query.request import Asked
from api.query.responses import Streamed

CURSOR = "cursor"


async def find(store: Store, query: Query, asked: Asked) -> ProblemError | None:
    """The problem that names a parameter without whose value ClickHouse answers; None if it never
    does. The parameters that differ from what the file was checked with are tried one by one."""
    bound = dict(asked.bound)
    suspects = [name for name, text in query.samples.items() if bound.get(name, text) != text]
    if any(name.startswith("_cursor_") for name in bound):
        suspects.append(CURSOR)
    for name in suspects:
        if await _answers(store, query, asked, [name]):
            return _unfit(name, f"{name} = {bound.get(name, '...')}")
    if len(suspects) > 1 and await _answers(store, query, asked, suspects):
        return _unfit(", ".join(suspects), f"{' and '.join(suspects)} together")
    return None


async def _answers(store: Store, query: Query, asked: Asked, names: Collection[str]) -> bool:
    """Whether ClickHouse answers with other values of these parameters."""
    bound = {name: query.samples[name] if name in names else text for name, text in asked.bound}
    changed = replace(asked, bound=tuple(bound.items()))
    if CURSOR in names:
        changed = replace(changed, sql=query.sql(as_text=asked.format.as_text, after=False))
    try:
        response = await store.start(changed.sql, dict(changed.bound), asked.format.clickhouse)
        found = await responses.start(response)
    except (RefusedError, ProblemError):
        # Too large or too slow with other values: nothing is known.
        return False
    if isinstance(found, Streamed):
        found.response.close()
    return True


def _unfit(names: str, given: str) -> ProblemError:
    given = given if len(given) <= 100 else f"{given[:100]}..."
    return ProblemError(
        400, f"ClickHouse cannot take {given}; give another value.", parameter=names
    )
