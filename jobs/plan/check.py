"""Whether a job may start: its plan, and each insert beside the table that it is to fill."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from jobs.plan import compiled_plan, flink_types
from jobs.plan.compiled_plan import Plan
from jobs.sink import columns
from jobs.sink.columns import RefusedValueError
from jobs.targets import table, types
from jobs.targets.calls import Call
from jobs.targets.table import Table
from jobs.targets.target import Target
from jobs.targets.types import Column
from lib.errors import JobError

Argument = Mapping[str, Any]


def check(compiled: Plan, calls: Sequence[Call], client: Client | None) -> None:
    """Raise JobError with a line for each problem of any insert; without a client, of the plan."""
    found = [*compiled_plan.problems(compiled, calls)]
    if client:
        for call in calls:
            found += [f"{call.place}: {fact}" for fact in _beside(client, call, compiled)]
    if found:
        raise JobError(*found)


def _beside(client: Client, call: Call, compiled: Plan) -> list[str]:
    about = table.read(client, call.target)
    given = compiled_plan.arguments(compiled, call.text)
    return [*table.problems(about, call.target), *_wrong_values(about, call.target, given)]


def _wrong_values(about: Table, target: Target, given: Sequence[Argument]) -> Iterator[str]:
    """What keeps a value that Flink will hand over out of its column, as far as types tell."""
    if not about.types or not given:
        return
    if len(given) != len(target.columns):
        yield table.wrong_number(target, len(given))
        return
    if all(argument["kind"] == "LITERAL" for argument in given):
        yield f"{target.table}: all values are constants; name a column of the stream."
    for name, argument in zip(target.columns, given, strict=True):
        column = table.fillable(about, name)
        if isinstance(column, Column) and "type" in argument:
            yield from (f"{target.table}: {fact}" for fact in _wrong_value(column, argument))


def _wrong_value(column: Column, argument: Argument) -> Iterator[str]:
    try:
        arrow = flink_types.arrow(argument["type"])
        types.check(column, arrow)
        if argument["kind"] == "LITERAL":
            _check_constant(column, argument["value"], arrow)
    except RefusedValueError as error:
        yield str(error)
    except (ValueError, pa.ArrowTypeError) as error:
        given = flink_types.shown(argument["type"])
        why = "" if isinstance(error, pa.ArrowTypeError) else f": {error}"
        hint = ", or hand it over as JSON text" if column.parts else ""
        yield (
            f"column {column.name} {column.kind} cannot take {given}{why}; "
            f"CAST it in the job's SQL{hint}."
        )


def _check_constant(column: Column, value: Any, arrow: pa.DataType) -> None:
    if pa.types.is_timestamp(arrow):
        raise ValueError("PyFlink cuts a constant to milliseconds, so take it from a column")
    if value is None or (isinstance(value, str) and types.family(arrow) == "text"):
        columns.cast(column, value, 1)
