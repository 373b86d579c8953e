"""Identifiers in the tree of EXPLAIN AST: whether one can only be a value.

The analyzer resolves a name as a table in FROM and on the right of IN, and as a function in the
first argument of arrayMap and other higher-order functions (arrayMap(file, x)). Every place that is
not known to take only values counts as one of these.
"""

import re
from dataclasses import dataclass

from local.clickhouse.engine.handle import Handle

# Nodes whose expressions are values, in a list or alone.
_CLAUSES = {
    "SelectQuery", "OrderByElement", "WindowDefinition", "TableJoin", "ArrayJoin",
    "QualifiedAsterisk", "ColumnsListMatcher", "ColumnsExceptTransformer",
}  # fmt: skip
# Ordinary functions all of whose arguments are values; beside them all aggregate functions and all
# conversions, whose names begin with `to`.
_OF_VALUES = {
    "plus", "minus", "multiply", "divide", "modulo", "intdiv", "negate", "abs", "round", "floor",
    "ceil", "equals", "notequals", "less", "greater", "lessorequals", "greaterorequals", "like",
    "notlike", "ilike", "notilike", "match", "and", "or", "not", "xor", "isnull", "isnotnull",
    "isfinite", "isnan", "if", "multiif", "coalesce", "ifnull", "nullif", "assumenotnull", "tuple",
    "tupleelement", "array", "arrayelement", "concat", "upper", "lower", "upperutf8", "lowerutf8",
    "length", "lengthutf8", "empty", "notempty", "substring", "position", "startswith", "endswith",
    "replaceone", "replaceall", "splitbychar", "formatdatetime", "datediff", "dateadd", "greatest",
    "least", "cast", "_cast", "variantelement", "varianttype", "dynamicelement", "cityhash64",
    "lambda",
}  # fmt: skip
_IN = re.compile(r"(global)?(not)?(null)?in")
_COMBINATORS = re.compile(r"(if|array|map|state|merge|distinct|ornull|ordefault|foreach)+")


@dataclass(frozen=True, slots=True)
class Functions:
    """Names, in lower case: of functions that take only values, and of those that take a function
    as their first argument."""

    of_values: frozenset[str]
    higher_order: frozenset[str]

    def takes_value(self, name: str, argument: int) -> bool:
        """Whether an argument, counted from 0, can be neither a table nor a function."""
        if _IN.fullmatch(name):
            return argument == 0
        if name in self.higher_order:
            return argument > 0
        return name in self.of_values or any(
            _COMBINATORS.fullmatch(name, end) and name[:end] in self.of_values
            for end in range(1, len(name))
        )


def functions(handle: Handle) -> Functions:
    """The engine's functions of these two kinds."""
    query = "SELECT lower(name) FROM system.functions WHERE origin = 'System' AND "
    values = handle.ask(f"{query}(is_aggregate OR match(name, '^to[A-Z]'))").split()
    higher = handle.ask(f"{query}match(name, '^(array|map)[A-Z]')").split()
    return Functions(frozenset(_OF_VALUES.union(values)), frozenset({*higher} - _OF_VALUES))


def is_value(lines: list[str], number: int, known: Functions) -> bool:
    """Whether the identifier in a line of the tree can only be a value."""
    parent = _parent(lines, number)
    kind = lines[parent].split()[0]
    if kind != "ExpressionList":
        return kind in _CLAUSES
    owner = _parent(lines, parent)
    kind, _, rest = lines[owner].lstrip().partition(" ")
    if kind != "Function":
        return kind in _CLAUSES
    siblings = (
        line for line in lines[parent + 1 : number] if _depth(line) == _depth(lines[number])
    )
    return known.takes_value(rest.partition(" (")[0].lower(), sum(1 for _ in siblings))


def _parent(lines: list[str], number: int) -> int:
    depth = _depth(lines[number])
    above = range(number - 1, -1, -1)
    return next((n for n in above if _depth(lines[n]) < depth), 0)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
