"""The compiled plan of the inserts, and what the sink requires of it (docs/adr/0003)."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jobs.targets.calls import Call
from jobs.targets.target import FUNCTION


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled plan: its operators by id, and the edges into each."""

    nodes: dict[int, dict[str, Any]]
    inputs: dict[int, list[dict[str, Any]]]


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


def arguments(plan: Plan, text: str) -> list[dict[str, Any]]:
    """The arguments of the call with this target, an expression for each value; none if Flink
    leaves the call out."""
    for node in plan.nodes.values():
        for operands in _operands(node):
            if operands[0]["value"] == text:
                return operands[1:]
    return []


def _problems(plan: Plan, call: Call) -> Iterator[str]:
    nodes = [(node, _targets(node).count(call.text)) for node in plan.nodes.values()]
    times = sum(count for _, count in nodes)
    if times != 1:
        yield (
            f"{call.place}: Flink would call {FUNCTION} {times} times; "
            "call it once, first in the select list of one INSERT INTO ... SELECT."
        )
    for node in plan.nodes.values():
        if node["type"].startswith("stream-exec-sink") and _has_call_upstream(
            plan, node["id"], call
        ):
            yield from _not_insert_only(node, call.place)
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
    return any(call.text in _targets(node) for node in _upstream(plan, number))


def _not_insert_only(sink: dict[str, Any], place: str) -> Iterator[str]:
    """Why a sink gets more than inserts: a row that retracts another would be stored like any."""
    changes = set(sink.get("inputChangelogMode", ["INSERT"])) - {"INSERT"}
    if changes:
        yield (
            f"{place}: rows would change once stored ({', '.join(sorted(changes))}); "
            "aggregate over windows (TUMBLE, HOP), which give each row once."
        )


def _not_in_order(plan: Plan, number: int, place: str) -> Iterator[str]:
    """Why a partition's records may come in another order: nothing may shuffle them before the
    sink."""
    sources = 0
    for node in _upstream(plan, number):
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


# In the types of operators that may make several rows of one; a window of HOP is a table function.
_MULTIPLYING = ("correlate", "expand", "join", "table-function")


def _several_rows(plan: Plan, number: int, place: str) -> Iterator[str]:
    """Why a record may become several rows: the sink leaves these out, because it takes the record
    for an array of several objects, which the other insert makes a dead letter."""
    types = [node["type"] for node in _upstream(plan, number)]
    if any(word in kind for kind in types for word in _MULTIPLYING):
        yield (
            f"{place}: a join, UNNEST or table function may make several rows of a record, which "
            "one offset cannot tell apart; leave it out, or leave out kafka_partition and "
            "kafka_offset (then a restart may store rows twice)."
        )


def _upstream(plan: Plan, number: int) -> Iterator[dict[str, Any]]:
    """An operator and all operators before it, each once."""
    todo, seen = [number], set()
    while todo:
        if (number := todo.pop()) not in seen:
            seen.add(number)
            yield plan.nodes[number]
            todo += [edge["source"] for edge in plan.inputs.get(number, [])]
