"""MATCH_RECOGNIZE in a compiled plan: the variables that each match has, and the row of a measure.

https://nightlies.apache.org/flink/flink-docs-release-2.3/docs/sql/reference/queries/match_recognize/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.plan import expressions
from jobs.plan.expressions import Expression


@dataclass(frozen=True, slots=True)
class Position:
    """A column of the FIRST or LAST row of a variable."""

    function: str
    variable: str
    column: int


def position(measure: Expression) -> Position | None:
    """What a measure takes unchanged from one row; None if it computes something."""
    inner = _unwrapped(measure)
    function = {"$FIRST$1": "FIRST", "$LAST$1": "LAST"}.get(inner.get("internalName", ""))
    if not function:
        return None
    row, distance = inner["operands"]
    row = _unwrapped(row)
    if row["kind"] != "PATTERN_INPUT_REF" or distance.get("value") != 0:
        return None
    return Position(function, row["alpha"], int(row["inputIndex"]))


def needed(pattern: Mapping[str, Any]) -> frozenset[str]:
    """The variables of which each match has a row."""
    if pattern["kind"] == "LITERAL":
        return frozenset({str(pattern["value"])})
    if pattern.get("sqlKind") == "PATTERN_CONCAT":
        return frozenset[str]().union(*map(needed, pattern["operands"]))
    if pattern.get("internalName") == "$PATTERN_QUANTIFIER$1":
        inner, least, *_ = pattern["operands"]
        return needed(inner) if int(least["value"]) > 0 else frozenset()
    return frozenset()


def _unwrapped(expression: Expression) -> Expression:
    """Without FINAL, and without CASTs that keep values apart."""
    while True:
        if expression.get("internalName") == "$FINAL$1":
            expression = expression["operands"][0]
        elif inner := expressions.passed_on(expression):
            expression = inner
        else:
            return expression
