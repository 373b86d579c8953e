"""The compiled plan of the inserts, and what the sink requires of it (docs/adr/0003)."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jobs.targets.calls import Call
from jobs.targets.target import FUNCTION, Target


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled plan: its operators by id, and the edges into each."""

    nodes: dict[int, dict[str, Any]]
    inputs: dict[int, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Called:
    """A call of the sink in a plan: its operator, and an expression for each value."""

    number: int
    arguments: list[dict[str, Any]]


def read(text: str) -> Plan:
    """From the JSON of a compiled plan."""
    plan = json.loads(text)
    inputs: dict[int, list[dict[str, Any]]] = {}
    for edge in plan["edges"]:
        inputs.setdefault(edge["target"], []).append(edge)
    return Plan({node["id"]: node for node in plan["nodes"]}, inputs)


def problems(plan: Plan, calls: Iterable[Call]) -> Iterator[str]:
    """For each call whose rows could be stored out of order, twice or never: why, and the remedy.

    `calls` are those in the job's files: Flink leaves out a call whose result it does not need."""
    for call in calls:
        yield from islice(_problems(plan, call), 1)


def find(plan: Plan, text: str) -> Called | None:
    """The call with this target; None if Flink leaves it out."""
    for number, node in plan.nodes.items():
        for operands in _operands(node):
            if operands[0]["value"] == text:
                return Called(number, operands[1:])
    return None


def changes(plan: Plan, call: Call) -> set[str]:
    """The kinds of changes besides INSERT that the rows of a call may be."""
    return {
        change
        for node in plan.nodes.values()
        if node["type"].startswith("stream-exec-sink")
        and _has_call_upstream(plan, node["id"], call)
        for change in node.get("inputChangelogMode", [])
    } - {"INSERT"}


def retractions(changes: set[str], target: Target) -> set[str]:
    """Those of the changes that no table can have; an update replaces a row in some tables whose
    rows are not tracked (jobs/plan/keyed.py)."""
    return changes if target.is_tracked else changes - {"UPDATE_AFTER"}


def _problems(plan: Plan, call: Call) -> Iterator[str]:
    nodes = [(node, _targets(node).count(call.text)) for node in plan.nodes.values()]
    times = sum(count for _, count in nodes)
    if times != 1:
        yield (
            f"{call.place}: Flink would call {FUNCTION} {times} times; "
            "call it once, first in the select list of one INSERT INTO ... SELECT"
            f"{_UNITED if times else ''}."
        )
    yield from _taken_back(changes(plan, call), call)
    for node, count in nodes:
        if count and call.target.is_tracked:
            yield from _not_in_order(plan, node["id"], call.place)
        if count and call.is_beside:
            yield from _several_rows(plan, node["id"], call.place)


def _targets(node: Any) -> list[str]:
    """The first argument of each call of the sink anywhere in an operator."""
    return [operands[0]["value"] for operands in _operands(node)]


def _operands(value: Any) -> Iterator[list[dict[str, Any]]]:
    if isinstance(value, dict):
        if value.get("systemName") == FUNCTION:
            yield value["operands"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _operands(one)


def _has_call_upstream(plan: Plan, number: int, call: Call) -> bool:
    return any(call.text in _targets(node) for node in upstream(plan, number))


def _taken_back(changes: set[str], call: Call) -> Iterator[str]:
    """Why a call gets more than rows to add: one that takes back another would be stored, too."""
    if found := retractions(changes, call.target):
        yield (
            f"{call.place}: rows would change once stored ({', '.join(sorted(found))}); "
            "aggregate over windows (TUMBLE, HOP), which give each row once, or leave out what "
            "filters, ranks or aggregates updated rows (HAVING, ROW_NUMBER)."
        )


def _not_in_order(plan: Plan, number: int, place: str) -> Iterator[str]:
    """Why a partition's records may come in another order: nothing may shuffle them before the
    sink."""
    sources = 0
    for node in upstream(plan, number):
        sources += "scan" in node["type"]
        shuffles = [edge["shuffle"]["type"] for edge in plan.inputs.get(node["id"], [])]
        if "exchange" in node["type"] or any(kind != "FORWARD" for kind in shuffles):
            yield (
                f"{place}: Flink shuffles the records before {FUNCTION}, so that "
                "they lose their order; only filter and CAST, or leave out kafka_partition and "
                "kafka_offset (then a restart may store rows twice)."
            )
    if sources != 1:
        yield (
            f"{place}: its records come from {sources} sources, whose "
            "offsets are not one order; give each source an insert file of its own, with "
            "'table (columns) AS name'."
        )


# Flink computes what follows UNION ALL in each of its parts.
_UNITED = (
    "; after UNION ALL add CROSS JOIN UNNEST(ARRAY[one of its columns]), so that Flink does not "
    "copy the call into each part"
)

# In the types of operators that may make several rows of one; a window of HOP is a table function.
_MULTIPLYING = ("correlate", "expand", "join", "table-function")


def _several_rows(plan: Plan, number: int, place: str) -> Iterator[str]:
    """Why a record may become several rows: the sink leaves these out, because it takes the record
    for an array of several objects, which the other insert makes a dead letter."""
    types = [node["type"] for node in upstream(plan, number)]
    if any(word in kind for kind in types for word in _MULTIPLYING):
        yield (
            f"{place}: a join, UNNEST or table function may make several rows of a record, which "
            "one offset cannot tell apart; leave it out, or leave out kafka_partition and "
            "kafka_offset (then a restart may store rows twice)."
        )


def upstream(plan: Plan, number: int) -> Iterator[dict[str, Any]]:
    """An operator and all operators before it, each once."""
    todo, seen = [number], set()
    while todo:
        if (number := todo.pop()) not in seen:
            seen.add(number)
            yield plan.nodes[number]
            todo += [edge["source"] for edge in plan.inputs.get(number, [])]
