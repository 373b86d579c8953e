"""Checks before a job starts: its plan, and the table of each insert."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from jobs.job import Job
from jobs.plan import compiled_plan, flink_types, keyed, state_growth, watermarks
from jobs.plan.compiled_plan import Plan
from jobs.sink import columns
from jobs.sink.columns import RefusedValueError
from jobs.targets import dead_letters, table, types
from jobs.targets.calls import Call
from jobs.targets.table import Table
from jobs.targets.target import Target
from jobs.targets.types import Column
from lib.errors import JobError
from lib.files import show

Argument = Mapping[str, Any]


def check(compiled: Plan, calls: Sequence[Call], client: Client | None) -> None:
    """Raise JobError with a line for each problem of an insert; without a client, of its plan."""
    problems = [*compiled_plan.problems(compiled, calls)]
    if client:
        tables = [table.read(client, call.target) for call in calls]
        for call, filled in zip(calls, tables, strict=True):
            facts = _of_table(client, call, filled, compiled)
            problems += [f"{call.place}: {fact}" for fact in facts]
        problems += keyed.shared(compiled, calls, tables)
    if problems:
        raise JobError(*problems)


def notices(compiled: Plan, job: Job) -> list[str]:
    """A line for each fact that keeps no job from running and that a user should know."""
    unread = [
        f"{file.place}: no insert reads {file.name}, itself or through a view; name it in one, or "
        "remove the file."
        for file in job.unread
    ]
    return unread + [
        notice
        for each in (state_growth, watermarks)
        for notice in each.notices(compiled, job.calls, show(job.options_file))
    ]


def _of_table(client: Client, call: Call, filled: Table, compiled: Plan) -> list[str]:
    called = compiled_plan.find(compiled, call.text)
    arguments = called.arguments if called else []
    return [
        *table.problems(filled, call.target),
        *dead_letters.problems(client, call.target),
        *_of_values(filled, call.target, arguments),
        *_of_reason(call.target, arguments),
        *(() if call.target.is_tracked else keyed.problems(compiled, call, filled)),
    ]


def _of_values(filled: Table, target: Target, arguments: Sequence[Argument]) -> Iterator[str]:
    """Why columns cannot take the values that Flink will pass, as far as their types show."""
    if not filled.types or not arguments:
        return
    if len(arguments) != len(target.values):
        yield table.wrong_number(target, len(arguments))
        return
    if all(argument["kind"] == "LITERAL" for argument in arguments):
        yield f"{target.table}: all values are constants; name a column of the stream."
    # The reason of a dead letter is last, and not a column.
    for name, argument in zip(target.columns, arguments, strict=False):
        column = table.fillable(filled, name)
        if isinstance(column, Column) and "type" in argument:
            yield from (f"{target.table}: {fact}" for fact in _of_value(column, argument))


def _of_reason(target: Target, arguments: Sequence[Argument]) -> Iterator[str]:
    if target.dead_letters and len(arguments) == len(target.values) and "type" in arguments[-1]:
        shown = flink_types.shown(arguments[-1]["type"])
        if not shown.startswith(("STRING", "VARCHAR", "CHAR")):
            yield (
                f"{target.table}: the reason is {shown}; make it a STRING, which is NULL for a "
                "record that the table is to get."
            )


def _of_value(column: Column, argument: Argument) -> Iterator[str]:
    try:
        arrow = flink_types.arrow(argument["type"])
        types.check(column, arrow)
        if argument["kind"] == "LITERAL":
            _check_constant(column, argument["value"], arrow)
    except RefusedValueError as error:
        yield str(error)
    except (ValueError, pa.ArrowTypeError) as error:
        source = flink_types.shown(argument["type"])
        why = "" if isinstance(error, pa.ArrowTypeError) else f": {error}"
        hint = ", or hand it over as JSON text" if column.parts else ""
        yield (
            f"column {column.name} {column.kind} cannot take {source}{why}; "
            f"CAST it in the job's SQL{hint}."
        )


def _check_constant(column: Column, value: Any, arrow: pa.DataType) -> None:
    if pa.types.is_timestamp(arrow):
        raise ValueError("PyFlink cuts a constant to milliseconds, so take it from a column")
    if value is None or (isinstance(value, str) and types.family(arrow) == "text"):
        columns.cast(column, value, 1)
