"""What identifies the rows of an operator in a compiled plan, derived from the sources on.

Flink's own unique keys are not in the plan, and it knows none for windows and patterns. An operator
that is not known here has no key, so that what is proved holds, but not all that holds is proved.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, product
from typing import Any

from jobs.plan import expressions, patterns
from jobs.plan.compiled_plan import Plan
from jobs.plan.expressions import Expression

Node = Mapping[str, Any]
Key = frozenset[int]

# Of each operator at most so many keys: joins multiply them, and a table has one.
_LIMIT = 64


@dataclass(frozen=True, slots=True)
class Rows:
    """What is known of an operator's rows; columns are numbers from 0.

    No two rows have the same values in all columns of one of the `keys`; a row and its update have.
    `stable` columns have the same value each time that a row is written: after a failure, and when
    it is updated. The value of a `growing` one is never less than before. `constants` has all
    values of a column that has only some. `why` says why there is no key; `width` is the number of
    columns."""

    width: int = 0
    keys: frozenset[Key] = frozenset()
    stable: frozenset[int] = frozenset()
    growing: frozenset[int] = frozenset()
    why: str = ""
    constants: Mapping[int, frozenset[str]] = field(default_factory=dict)


def before(plan: Plan, number: int) -> Rows:
    """What is known of the rows that the operator with this id reads."""
    derivation = _Derivation(plan)
    inputs = derivation.inputs(number)
    return inputs[0] if len(inputs) == 1 else Rows(why="several streams are merged")


@dataclass(slots=True)
class _Derivation:
    """Remembers the rows of each operator, which several may read."""

    plan: Plan
    known: dict[int, Rows] = field(default_factory=dict)

    def rows(self, number: int) -> Rows:
        if number not in self.known:
            node = self.plan.nodes[number]
            derive = _OPERATORS.get(kind(node), _unknown)
            self.known[number] = derive(node, self.inputs(number))
        return self.known[number]

    def inputs(self, number: int) -> list[Rows]:
        return [self.rows(edge["source"]) for edge in self.plan.inputs.get(number, [])]


def kind(node: Node) -> str:
    """The kind of an operator: `group-aggregate` of stream-exec-group-aggregate_1."""
    return str(node["type"]).removeprefix("stream-exec-").rpartition("_")[0]


def _unknown(node: Node, _: Sequence[Rows]) -> Rows:
    return Rows(_width(node), why=f"the key of Flink's operator {kind(node)} is not known")


def _width(node: Node) -> int:
    return len(expressions.fields(node["outputType"])) if "outputType" in node else 0


def _same(_: Node, inputs: Sequence[Rows]) -> Rows:
    return inputs[0]


def _scan(node: Node, _: Sequence[Rows]) -> Rows:
    """A record of Kafka has its partition and offset, and always the same values."""
    width = _width(node)
    every = frozenset(range(width))
    places = _metadata(node)
    if not {"partition", "offset"} <= places.keys():
        why = "the source has no columns METADATA FROM 'partition' and 'offset'"
        return Rows(width, frozenset(), every, every, why)
    key = frozenset({places["partition"], places["offset"]})
    return Rows(width, frozenset({key}), every, every)


def _metadata(node: Node) -> dict[str, int]:
    """The columns of a source's metadata, by Kafka's names: they come last, in the plan's order.

    https://nightlies.apache.org/flink/flink-docs-release-2.3/docs/connectors/table/kafka/"""
    names = [*expressions.fields(node["outputType"])]
    for ability in node.get("scanTableSource", {}).get("abilities") or []:
        if ability["type"] == "ReadingMetadata":
            produced = expressions.fields(ability["producedType"])
            last = produced[len(produced) - len(ability["metadataKeys"]) :]
            pairs = zip(ability["metadataKeys"], last, strict=True)
            return {key: names.index(name) for key, name in pairs if name in names}
    return {}


def _projected(node: Node, inputs: Sequence[Rows]) -> Rows:
    (rows,) = inputs
    return project(node["projection"], _filtered(node.get("condition"), rows))


def _filtered(condition: Expression | None, rows: Rows) -> Rows:
    """What is known of the rows for which a condition holds: a column that it compares with a
    constant has no other value, and is needed in no key."""
    constants = dict(rows.constants)
    for part in expressions.conjuncts(condition):
        operands = part.get("operands", [])
        if part["kind"] == "INPUT_REF":
            constants[part["inputIndex"]] = frozenset({str(True)})
        elif part.get("internalName") == "$=$1" and (pair := expressions.compared(operands)):
            constants[pair[0]] = _constant(pair[1])
    single = rows.stable & {number for number, values in constants.items() if len(values) == 1}
    keys = rows.keys | {key - single for key in rows.keys}
    return replace(rows, keys=keys, constants=constants)


def _constant(value: object) -> frozenset[str]:
    # A text of fixed length may get blanks at its end.
    return frozenset({str(value).rstrip()})


def project(outputs: Sequence[Expression], rows: Rows) -> Rows:
    """What is known of these expressions of rows: a key needs all of its columns."""
    sources = [expressions.column(output) for output in outputs]
    stable = frozenset(
        number
        for number, output in enumerate(outputs)
        if expressions.is_repeatable(output) and {*expressions.columns(output)} <= rows.stable
    )
    growing = frozenset(n for n, source in enumerate(sources) if source in rows.growing)
    keys = _renumbered(rows.keys, enumerate(sources))
    why = rows.why or ("" if keys else "a column of the key is left out, or changed")
    constants = {
        number: _constant(output["value"])
        for number, output in enumerate(outputs)
        if expressions.is_comparable(output)
    }
    constants |= {
        number: rows.constants[source]
        for number, source in enumerate(sources)
        if source is not None and source in rows.constants
    }
    return Rows(len(outputs), keys, stable, growing, why, constants)


def _renumbered(keys: Iterable[Key], pairs: Iterable[tuple[int, int | None]]) -> frozenset[Key]:
    """The keys in other columns, given as (new, old); those of which one is missing are left out.
    A column that is there twice makes two keys of one."""
    places: dict[int, list[int]] = {}
    for new, old in pairs:
        if old is not None:
            places.setdefault(old, []).append(new)
    found: set[Key] = set()
    for key in keys:
        for choice in product(*(places.get(old, []) for old in sorted(key))):
            if len(found) < _LIMIT:
                found.add(frozenset(choice))
    return frozenset(found)


def _united(_: Node, inputs: Sequence[Rows]) -> Rows:
    """UNION ALL: rows of two inputs are told apart by a column that has other constants in each."""
    constants = {
        number: [rows.constants[number] for rows in inputs]
        for number in range(inputs[0].width)
        if all(number in rows.constants for rows in inputs)
    }
    together = {number: frozenset[str]().union(*values) for number, values in constants.items()}
    marks = [n for n, values in constants.items() if len(together[n]) == sum(map(len, values))]
    keys = {
        frozenset({mark}).union(*choice)
        for mark in marks
        for choice in islice(product(*(rows.keys for rows in inputs)), _LIMIT)
    }
    stable = frozenset.intersection(*(rows.stable for rows in inputs))
    growing = frozenset.intersection(*(rows.growing for rows in inputs))
    why = next((rows.why for rows in inputs if rows.why), "")
    why = why or ("" if marks else "no column is another constant in each part of UNION ALL")
    return Rows(inputs[0].width, frozenset(keys), stable, growing, why, together)


def _grouped(node: Node, inputs: Sequence[Rows]) -> Rows:
    """GROUP BY: one row per group, which is updated."""
    (rows,) = inputs
    groups = range(len(node["grouping"]))
    stable = _stable_groups(node, rows)
    growing = frozenset(
        len(groups) + number
        for number, call in enumerate(node["aggCalls"])
        if call["internalName"] in ("$COUNT$1", "$MAX$1") and not node["needRetraction"]
    )
    return Rows(_width(node), frozenset({frozenset(groups)}), stable, growing | stable)


def _stable_groups(node: Node, rows: Rows) -> frozenset[int]:
    return frozenset(n for n, source in enumerate(node["grouping"]) if source in rows.stable)


def _partly_grouped(node: Node, inputs: Sequence[Rows]) -> Rows:
    """The first of two steps of an aggregation: its groups come first, several times each."""
    return Rows(_width(node), stable=_stable_groups(node, inputs[0]))


def _windowed(node: Node, inputs: Sequence[Rows]) -> Rows:
    """GROUP BY a window: one row per group and window. Processing time has other windows after a
    failure."""
    (rows,) = inputs
    groups = frozenset(range(len(node["grouping"])))
    bounds = _bounds(node)
    keys = frozenset(groups | {number} for number in _unique_bounds(node, bounds))
    stable = _stable_groups(node, rows)
    if node["windowing"]["isRowtime"]:
        stable |= frozenset(bounds.values())
    why = "" if keys else "neither window_start nor window_end is selected"
    return Rows(_width(node), keys, stable, why=why)


def _bounds(node: Node) -> dict[str, int]:
    """The columns of a window's start, end and time, which come last."""
    properties = node["namedWindowProperties"]
    first = _width(node) - len(properties)
    return {one["property"]["kind"]: first + n for n, one in enumerate(properties)}


def _unique_bounds(node: Node, bounds: Mapping[str, int]) -> Iterator[int]:
    """Each that tells the windows of a group apart: those of CUMULATE begin together."""
    starts_apart = node["windowing"]["window"]["type"] != "CumulativeWindow"
    for name, number in bounds.items():
        if starts_apart or name != "WindowStart":
            yield number


def _in_windows(node: Node, inputs: Sequence[Rows]) -> Rows:
    """TABLE(TUMBLE(...)): a row in each of its windows, with start, end and time as new columns."""
    (rows,) = inputs
    width = _width(node)
    start, end, time = range(width - 3, width)
    match node["windowing"]["window"]["type"]:
        case "TumblingWindow":
            keys = rows.keys
        case "HoppingWindow":
            keys = frozenset(key | {bound} for key in rows.keys for bound in (start, end, time))
        case "CumulativeWindow":
            keys = frozenset(key | {bound} for key in rows.keys for bound in (end, time))
        case _:
            # A session changes while it grows.
            return Rows(width, rows.keys, rows.stable, why=rows.why)
    bounds = {start, end, time} if node["windowing"]["isRowtime"] else set[int]()
    return Rows(width, keys, rows.stable | bounds, why=rows.why)


def _over(node: Node, inputs: Sequence[Rows]) -> Rows:
    """OVER: each row once, with new columns at its end."""
    (rows,) = inputs
    return Rows(_width(node), rows.keys, rows.stable, why=rows.why)


def _deduplicated(node: Node, inputs: Sequence[Rows]) -> Rows:
    """The first row for each value of some columns."""
    (rows,) = inputs
    if node["keepLastRow"]:
        return _unknown(node, inputs)
    return Rows(rows.width, rows.keys | {frozenset(node["uniqueKeys"])}, rows.stable)


def _unnested(node: Node, inputs: Sequence[Rows]) -> Rows:
    """CROSS JOIN UNNEST(ARRAY[one]): each row once, with a new column. More elements, and other
    functions, may make several rows of one."""
    (rows,) = inputs
    match node["functionCall"]:
        case {
            "internalName": "$UNNEST_ROWS$1",
            "operands": [{"internalName": "$ARRAY$1", "operands": [_]}],
        } if not node["condition"]:
            return replace(rows, width=_width(node))
    return _unknown(node, inputs)


def _joined(node: Node, inputs: Sequence[Rows]) -> Rows:
    """A pair of rows has the keys of both, or that of the one which has at most one partner."""
    left, right = inputs
    spec = _join_spec(node)
    if spec["joinType"] in ("SEMI", "ANTI"):
        return left
    shift = left.width
    windowing = node.get("rightWindowing", {})
    compared = {*spec["rightKeys"], windowing.get("windowStart"), windowing.get("windowEnd")}
    partners = [key for key in right.keys if key <= compared]
    pairs = {
        one | frozenset(number + shift for number in other)
        for one in left.keys
        for other in right.keys
    }
    # Without a partner all columns of the left are NULL in RIGHT and FULL joins.
    is_of_left = partners and spec["joinType"] in ("INNER", "LEFT")
    is_empty = spec["joinType"] == "FULL" and frozenset() in pairs
    keys = frozenset([*(left.keys if is_of_left else ()), *(() if is_empty else pairs)][:_LIMIT])
    stable = left.stable | {number + shift for number in right.stable}
    return Rows(_width(node), keys, stable, why=left.why or right.why)


def _join_spec(node: Node) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = node["joinSpec"] if "joinSpec" in node else node["intervalJoinSpec"]
    inner: Mapping[str, Any] = spec.get("joinSpec", spec)
    return inner


def _matched(node: Node, inputs: Sequence[Rows]) -> Rows:
    """MATCH_RECOGNIZE: matches of one group that have no row in common are told apart by the first
    or last row of a variable that each match has."""
    (rows,) = inputs
    spec = node["matchSpec"]
    names = expressions.fields(node["outputType"])
    groups = dict(enumerate(spec["partition"]["fields"]))
    # By function and variable: the input's columns and where a measure has them.
    places: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for name, measure in spec["measures"].items():
        if found := patterns.position(measure):
            places.setdefault((found.function, found.variable), []).append(
                (names.index(name), found.column)
            )
    needed = patterns.needed(spec["pattern"])
    keys = set[Key]()
    for (_, variable), pairs in places.items():
        if variable in needed:
            keys |= _renumbered(rows.keys, [*groups.items(), *pairs])
    stable = {new for new, old in groups.items() if old in rows.stable}
    stable |= {new for pairs in places.values() for new, old in pairs if old in rows.stable}
    if spec["after"].get("value") != "SKIP_PAST_LAST_ROW":
        keys = set()
    why = "" if keys else rows.why or _NO_MATCH
    return Rows(len(names), frozenset(keys), frozenset(stable), why=why)


_NO_MATCH = (
    "MATCH_RECOGNIZE needs AFTER MATCH SKIP PAST LAST ROW, and as measures the key of the FIRST or "
    "LAST row of a variable that each match has"
)


_OPERATORS: dict[str, Callable[[Node, Sequence[Rows]], Rows]] = {
    "table-source-scan": _scan,
    **dict.fromkeys(("calc", "python-calc"), _projected),
    **dict.fromkeys(
        ("exchange", "watermark-assigner", "mini-batch-assigner", "temporal-sort"), _same
    ),
    **dict.fromkeys(("group-aggregate", "global-group-aggregate"), _grouped),
    **dict.fromkeys(("local-group-aggregate", "local-window-aggregate"), _partly_grouped),
    **dict.fromkeys(("window-aggregate", "global-window-aggregate"), _windowed),
    "window-table-function": _in_windows,
    "union": _united,
    "correlate": _unnested,
    "over-aggregate": _over,
    "deduplicate": _deduplicated,
    **dict.fromkeys(("join", "interval-join", "window-join"), _joined),
    "match": _matched,
}
