"""Keyed targets: tables whose engine replaces rows with the same ORDER BY. A row that is written
again after a failure replaces itself there, if its key in the query is its key in the table."""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from jobs.plan import compiled_plan, keys
from jobs.plan.compiled_plan import Plan
from jobs.plan.keys import Rows
from jobs.targets.calls import Call
from jobs.targets.engine import Engine
from jobs.targets.table import Table
from jobs.targets.target import Target

# Functions of SimpleAggregateFunction that a row which is added twice does not change.
# https://clickhouse.com/docs/sql-reference/data-types/simpleaggregatefunction
_IDEMPOTENT = (
    "any", "any_respect_nulls", "anyLast", "anyLast_respect_nulls", "min", "max",
    "groupBitAnd", "groupBitOr", "groupUniqArrayArray", "minMap", "maxMap",
)  # fmt: skip

_SIMPLE = re.compile(r"SimpleAggregateFunction\((\w+)")

# The column that the sink fills with the name of the writer.
_WRITER = "inserted_by"


def problems(plan: Plan, call: Call, table: Table) -> Iterator[str]:
    """Why the rows of an untracked call could replace others, or stay beside their own updates."""
    engine, target = table.engine, call.target
    changes = compiled_plan.changes(plan, call)
    if not table.types or compiled_plan.retractions(changes, target):
        # Another check reports that.
        return
    if not engine.replaces:
        if "UPDATE_AFTER" in changes:
            yield (
                f"{target.table}: its rows are updated, and {engine.name} keeps each version; make "
                "it ReplacingMergeTree(version) ORDER BY the key of the query, or aggregate over "
                "windows (TUMBLE, HOP), which give each row once."
            )
        return
    called = compiled_plan.find(plan, call.text)
    if called is None or len(called.arguments) != len(target.values):
        return
    rows = keys.project(called.arguments, keys.before(plan, called.number))
    facts = [
        *_not_identified(rows, target, engine),
        *_not_the_same(rows, target, engine),
        *(_not_newer(rows, target, engine) if "UPDATE_AFTER" in changes else ()),
        *_not_idempotent(table),
        *_in_several_partitions(engine),
    ]
    for fact in facts[:1]:
        yield f"{target.table}: {fact}"


def shared(plan: Plan, calls: Sequence[Call], tables: Sequence[Table]) -> Iterator[str]:
    """For two calls whose rows could replace each other: that, and the remedy."""
    keyed = [
        (call, table)
        for call, table in zip(calls, tables, strict=True)
        if table.engine.replaces and not call.target.is_tracked
    ]
    for (one, table), (other, _) in combinations(keyed, 2):
        if one.target.table == other.target.table and not _are_apart(plan, one, other, table):
            yield (
                f"{other.place}: its rows could replace those of {one.place}, which fills the "
                "table too; give both another constant in a column of ORDER BY, or add "
                f"{_WRITER} to it."
            )


def _not_identified(rows: Rows, target: Target, engine: Engine) -> Iterator[str]:
    """Unless the columns of ORDER BY contain a key of the query."""
    key = {target.columns.index(name) for name in engine.key if name in target.columns}
    if any(one <= key for one in rows.keys):
        return
    rule = f"rows with the same ORDER BY ({', '.join(engine.key)}) replace each other"
    if not rows.keys:
        yield (
            f"{rule}, and nothing shows that two rows of the query are never such: {rows.why}; "
            "aggregate by the columns of ORDER BY, or make the table a MergeTree (then a restart "
            "may store rows twice)."
        )
        return
    nearest = min(rows.keys, key=lambda one: (len(one - key), sorted(one)))
    columns = [target.columns[number] for number in sorted(nearest)]
    yield f"{rule}, and the query's key is ({', '.join(columns)}); make that the ORDER BY."


def _not_the_same(rows: Rows, target: Target, engine: Engine) -> Iterator[str]:
    """Unless each column of ORDER BY has the same value when a row is written again."""
    for name in engine.key_columns:
        if name not in target.columns:
            if name != _WRITER:
                yield (
                    f"column {name} is in ORDER BY and not in the target, so that a row would have "
                    "another key when it is written again; name it in the target, or take it out "
                    "of ORDER BY."
                )
        elif target.columns.index(name) not in rows.stable:
            yield (
                f"column {name} is in ORDER BY, and may have another value when a row is written "
                "again; take it out of ORDER BY."
            )


def _not_newer(rows: Rows, target: Target, engine: Engine) -> Iterator[str]:
    """Unless the engine keeps the row with the greatest version, which only grows."""
    if engine.aggregates:
        yield (
            f"its rows are updated, which {engine.name} would mix; make it "
            "ReplacingMergeTree(version)."
        )
    elif engine.version not in target.columns:
        yield (
            f"its rows are updated, and {engine.name} has no version in the target, so that after "
            "a failure an older row could stay; make it ReplacingMergeTree(version), with a "
            "COUNT(*) or MAX of the query as the version."
        )
    elif target.columns.index(engine.version) not in rows.growing:
        yield (
            f"column {engine.version} is the version of {engine.name}, and nothing shows that it "
            "only grows; make it a COUNT(*) or MAX of the query, without a CAST."
        )


def _not_idempotent(table: Table) -> Iterator[str]:
    """Unless the engine computes the same when a row is added twice."""
    if not table.engine.aggregates:
        return
    for name, kind in table.types.items():
        function = _SIMPLE.match(kind)
        if function and function[1] not in _IDEMPOTENT and name not in table.engine.key_columns:
            yield (
                f"column {name} is {kind}, which counts a row that is written again twice; make it "
                "max, min or any of what the query has computed, or leave it to a view."
            )


def _in_several_partitions(engine: Engine) -> Iterator[str]:
    """Unless rows with the same ORDER BY are in one partition, for others do not merge."""
    for name in engine.partition_columns:
        if name not in engine.key_columns:
            yield (
                f"column {name} is in PARTITION BY and not in ORDER BY, so that two rows with the "
                "same ORDER BY may never become one; leave it out."
            )


def _are_apart(plan: Plan, one: Call, other: Call, table: Table) -> bool:
    """Whether a column of ORDER BY has another value in each of two calls."""
    if _WRITER in table.engine.key and _WRITER in table.types:
        return True
    return any(
        name in one.target.columns
        and name in other.target.columns
        and _apart(_constant(plan, one, name), _constant(plan, other, name))
        for name in table.engine.key
    )


def _apart(one: object, other: object) -> bool:
    return one is not None and other is not None and one != other


def _constant(plan: Plan, call: Call, name: str) -> object:
    """The constant that a call passes for a column; None if it passes none."""
    called = compiled_plan.find(plan, call.text)
    if called is None:
        return None
    argument = called.arguments[call.target.columns.index(name)]
    return argument["value"] if argument["kind"] == "LITERAL" else None
