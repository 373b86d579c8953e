"""One query on one handle. Everything here blocks, and is called from worker threads."""

import json
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from time import monotonic_ns

from lib.clickhouse_errors import Code
from local.clickhouse.access import guard
from local.clickhouse.engine.handle import Handle, NotStreamableError, Totals
from local.clickhouse.engine.statement import as_subquery, output_format, takes_input
from local.clickhouse.errors import QueryError, readonly, refusal
from local.clickhouse.formats.output_formats import Joiner, streams
from local.clickhouse.request.query import Query

# The size of a server's buffer: an error after this many bytes comes in the middle of the answer.
_HELD_BACK = 1 << 20


@dataclass(slots=True)
class Answer:
    """An answer: the part known before its first byte is sent, and the rest; `has_rows` is whether
    the statement has an answer, even an empty one, and `error` the one that broke it off."""

    fmt: str
    totals: Totals
    has_rows: bool = True
    head: list[bytes] = field(default_factory=list)
    rest: Generator[bytes, None, None] | None = None
    error: QueryError | None = None


def start(handle: Handle, query: Query, unsafe: guard.Unsafe) -> Answer:
    """Run a query until its answer, or the beginning of a long one, is there."""
    begun = monotonic_ns()
    reads = _check(handle, query, unsafe)
    answer = Answer(output_format(query.text) or query.fmt, Totals())
    if query.takes_data:
        _insert(handle, query, answer)
    else:
        _read(handle, query, answer)
    # KILL and some other statements do not read, but return rows.
    answer.has_rows = reads or any(answer.head)
    answer.totals.elapsed_ns = monotonic_ns() - begun
    return answer


def _check(handle: Handle, query: Query, unsafe: guard.Unsafe) -> bool:
    """Return whether the statement reads; raise QueryError unless it may run."""
    if not query.sql.strip():
        raise refusal(
            Code.SYNTAX_ERROR, "Syntax error: failed at position 1 (end of query): Empty query"
        )
    if query.takes_data:
        if query.readonly != "0" or not query.may_write:
            raise readonly()
        return False
    if not query.user.may_write:
        guard.check(handle, query.sql, query.params, unsafe)
        return True
    if takes_input(query.sql):
        # chDB would run it over no rows at all and report success.
        raise refusal(Code.NOT_IMPLEMENTED, "The embedded engine has no input() for an INSERT")
    kind, count = handle.classify(query.sql)
    if count > 1:
        raise guard.multi_statements()
    # A session could never leave the engine's readonly mode, so it is enforced here.
    writes = kind.startswith("MUTATING") or (kind == "CONTROL" and query.readonly == "1")
    if query.readonly != "0" and writes:
        raise readonly()
    return kind == "READ_ONLY"


def _insert(handle: Handle, query: Query, answer: Answer) -> None:
    """Insert all rows in one call of the engine: a batch is stored whole or not at all."""
    assert query.insert is not None
    fmt = query.insert.fmt or query.input_fmt or ""
    handle.insert(query.insert, fmt, query.data, query.params, answer.totals)


def _read(handle: Handle, query: Query, answer: Answer) -> None:
    rewrite = _rewrite(handle, query, answer.fmt)
    if streams(answer.fmt) and not query.whole:
        blocks = handle.stream(query.sql, query.fmt, query.params, answer.totals)
        try:
            first, is_all = _beginning(blocks)
        except NotStreamableError:
            pass
        else:
            joined = _joined(first, blocks, Joiner(answer.fmt, rewrite))
            answer.head = list(joined if is_all else islice(joined, 1))
            answer.rest = None if is_all else joined
            return
    whole = handle.run(query.sql, query.fmt, query.params, answer.totals)
    answer.head = [rewrite(whole) if rewrite else whole]


def _beginning(blocks: Iterable[bytes]) -> tuple[list[bytes], bool]:
    """The first two blocks, or one that exceeds a server's buffer; and whether none follows."""
    first: list[bytes] = []
    for block in filter(None, blocks):
        first.append(block)
        if len(first) == 2 or len(block) >= _HELD_BACK:
            return first, False
    return first, True


def _rewrite(handle: Handle, query: Query, fmt: str) -> Callable[[bytes], bytes] | None:
    """The function that rewrites the engine's blocks for the client's protocol version, if any."""
    if fmt.lower() != "native" or not query.protocol:
        return None
    # The import takes 0.2 s, and only these answers need it.
    from local.clickhouse.formats.native import reframed

    return partial(reframed, version=query.protocol, types=_types(handle, query))


def _types(handle: Handle, query: Query) -> list[str]:
    """The full types of a SELECT's columns; none if the engine cannot describe it."""
    select = as_subquery(query.sql)
    with suppress(QueryError):
        if select:
            sql = b"DESCRIBE TABLE " + select + b" FORMAT JSONCompactEachRow"
            return [json.loads(row)[1] for row in handle.ask(sql, query.params).splitlines()]
    return []


def _joined(
    first: list[bytes], rest: Generator[bytes, None, None], joiner: Joiner
) -> Generator[bytes, None, None]:
    with closing(rest):
        for block in chain(first, rest):
            joined = joiner.add(block)
            if joined:
                yield joined
    end = joiner.end()
    if end:
        yield end
