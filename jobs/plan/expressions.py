"""Expressions of a compiled plan: whether one only passes a column on, and whether it has the same
value each time that it is computed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jobs.plan import flink_types

Expression = Mapping[str, Any]

# Flink's functions whose value depends on when or where they run, by their names in a plan.
# https://nightlies.apache.org/flink/flink-docs-release-2.3/docs/sql/functions/built-in-functions/
_CHANGING = re.compile(
    r"\$(?:PROCTIME|NOW|CURRENT_\w+|LOCALTIME\w*|RAND\w*|UUID|UNIX_TIMESTAMP|STREAMRECORD_\w+)\$"
)
# Casts between the types of one of these rows, from the left to the right, keep values apart.
_WIDENING = (
    ("TINYINT", "SMALLINT", "INT", "BIGINT"),
    ("FLOAT", "DOUBLE"),
    *(
        tuple(kind.format(digits) for digits in range(10))
        for kind in ("TIMESTAMP({})", "TIMESTAMP_LTZ({})")
    ),
)
_COMPARABLE = re.compile(r"(?:BOOLEAN|TINYINT|SMALLINT|INT|BIGINT|DATE)$|(?:VAR)?CHAR\(")
_TEXT = re.compile(r"(?:VAR)?CHAR\(\d+\)")
_WITH_OWN_TEXT = re.compile(r"TINYINT|SMALLINT|INT|BIGINT|DATE|TIMESTAMP\(\d\)")


def column(expression: Expression) -> int | None:
    """The input column whose values an expression has, each another for another; None if it
    computes something."""
    if expression["kind"] == "INPUT_REF":
        return int(expression["inputIndex"])
    if inner := passed_on(expression):
        return column(inner)
    return None


def passed_on(expression: Expression) -> Expression | None:
    """What a CAST that keeps values apart is applied to; None for any other expression."""
    name = expression.get("internalName")
    if name == "$REINTERPRET$1":
        operand: Expression = expression["operands"][0]
        return operand
    if name == "$CAST$1":
        (operand,) = expression["operands"]
        if "type" in operand and _keeps_apart(_shown(operand), _shown(expression)):
            return operand
    return None


def conjuncts(condition: Expression | None) -> Iterator[Expression]:
    """The parts of a condition that all hold if it does."""
    if condition is None:
        return
    if condition.get("internalName") == "$AND$1":
        for operand in condition["operands"]:
            yield from conjuncts(operand)
    else:
        yield condition


def compared(operands: Sequence[Expression]) -> tuple[int, object] | None:
    """The column and the constant of an equation; None if it compares something else."""
    references = [each["inputIndex"] for each in operands if each["kind"] == "INPUT_REF"]
    values = [each["value"] for each in operands if is_comparable(each)]
    return (references[0], values[0]) if len(references) == len(values) == 1 else None


def is_comparable(expression: Expression) -> bool:
    """Whether it is a constant, not NULL, of a type in which other texts are other values: not so
    1.0 and 1.00."""
    return (
        expression["kind"] == "LITERAL"
        and expression.get("value") is not None
        and _COMPARABLE.match(_shown(expression)) is not None
    )


def columns(expression: Any) -> Iterator[int]:
    """All input columns that an expression reads."""
    for part in _parts(expression):
        if part.get("kind") == "INPUT_REF":
            yield part["inputIndex"]


def is_repeatable(expression: Any) -> bool:
    """Whether an expression has the same value for the same row, whenever it is computed. A
    function that a file creates may not: a plan does not say."""
    return not any(
        part.get("kind") == "CALL"
        and "sqlKind" not in part
        and (
            "internalName" not in part
            or part["internalName"] is None
            or _CHANGING.match(part["internalName"])
        )
        for part in _parts(expression)
    )


def fields(output_type: Any) -> Sequence[str]:
    """The names of the columns in the type of an operator's output."""
    if isinstance(output_type, Mapping):
        return [field["name"] for field in output_type["fields"]]
    return [*_field_names(str(output_type))]


def _field_names(text: str) -> Iterator[str]:
    """The names in ROW<`name` TYPE, ...>, without those of a ROW inside."""
    depth = 0
    tokens = re.finditer(r"`(?:[^`]|``)*`|'(?:[^']|'')*'|[<>(),]", text)
    is_name = False
    for token in tokens:
        match token[0]:
            case "<" | "(":
                depth += 1
                is_name = depth == 1
            case ">" | ")":
                depth -= 1
            case ",":
                is_name = depth == 1
            case name if is_name and name[0] == "`":
                yield name[1:-1].replace("``", "`")
                is_name = False


def _parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """An expression and all expressions within it."""
    if isinstance(value, Mapping):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _parts(one)


def _shown(expression: Expression) -> str:
    """An expression's type without NOT NULL."""
    text = flink_types.shown(expression["type"]).removesuffix(" NOT NULL")
    return re.sub(r"^TIMESTAMP(\(\d\)) WITH LOCAL TIME ZONE$", r"TIMESTAMP_LTZ\1", text)


def _keeps_apart(source: str, target: str) -> bool:
    if source == target:
        return True
    if target == "STRING":
        return bool(_TEXT.fullmatch(source) or _WITH_OWN_TEXT.fullmatch(source))
    return any(
        source in row and target in row[row.index(source) :] for row in _WIDENING if source in row
    )
