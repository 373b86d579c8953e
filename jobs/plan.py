"""What Flink made of the inserts, held against what the sink relies on (docs/adr/0003)."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.target import FUNCTION, Call
from lib.errors import JobError


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled plan: its operators by id, and what flows into each."""

    nodes: dict[int, dict[str, Any]]
    inputs: dict[int, list[dict[str, Any]]]


def read(text: str) -> Plan:
    """From the JSON of a compiled plan."""
    plan = json.loads(text)
    inputs: dict[int, list[dict[str, Any]]] = {}
    for edge in plan["edges"]:
        inputs.setdefault(edge["target"], []).append(edge)
    return Plan({node["id"]: node for node in plan["nodes"]}, inputs)


def check(plan: Plan, calls: Iterable[Call]) -> None:
    """Raise JobError for an insert whose rows could be stored out of order, twice or never.

    `calls` are those in the job's files: Flink leaves out a call whose result it can spare."""
    nodes = [(node, text) for node in plan.nodes.values() for text in _targets(node)]
    times = Counter(text for _, text in nodes)
    known = {call.text: call for call in calls}
    for text, call in known.items():
        if times[text] != 1:
            raise JobError(
                f"{call.place}: Flink would call {FUNCTION} {times[text]} times; "
                "call it once, first in the select list of one INSERT INTO ... SELECT."
            )
    for node in plan.nodes.values():
        if node["type"].startswith("stream-exec-sink"):
            _check_insert_only(node, [known[text].place for text in _calls_below(plan, node["id"])])
    for node, text in nodes:
        if known[text].target.is_tracked:
            _check_order(plan, node["id"], known[text].place)


def _targets(value: Any) -> Iterator[str]:
    """The first argument of each call of the sink anywhere in an operator."""
    if isinstance(value, dict):
        if value.get("systemName") == FUNCTION:
            yield value["operands"][0]["value"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _targets(one)


def _calls_below(plan: Plan, number: int) -> list[str]:
    return [text for node in _upstream(plan, number) for text in _targets(node)]


def _check_insert_only(sink: dict[str, Any], places: Sequence[str]) -> None:
    """A row that takes back an earlier one would be stored like any other."""
    changes = set(sink.get("inputChangelogMode", ["INSERT"])) - {"INSERT"}
    if changes and places:
        raise JobError(
            f"{places[0]}: rows would change once stored ({', '.join(sorted(changes))}); "
            "aggregate over windows (TUMBLE, HOP), which give each row once."
        )


def _check_order(plan: Plan, number: int, place: str) -> None:
    """Between one source and the sink nothing may shuffle a partition's records."""
    sources = 0
    for node in _upstream(plan, number):
        sources += "scan" in node["type"]
        shuffles = [edge["shuffle"]["type"] for edge in plan.inputs.get(node["id"], [])]
        if "exchange" in node["type"] or any(kind != "FORWARD" for kind in shuffles):
            raise JobError(
                f"{place}: Flink shuffles the records before {FUNCTION}, so that "
                "they lose their order; only filter and CAST, or leave out kafka_partition and "
                "kafka_offset (then a restart may store rows twice)."
            )
    if sources != 1:
        raise JobError(
            f"{place}: its records come from {sources} sources, whose "
            "offsets are not one order; give each source an insert file of its own, with "
            "'table (columns) AS name'."
        )


def _upstream(plan: Plan, number: int) -> Iterator[dict[str, Any]]:
    """An operator and all that flows into it, each once."""
    todo, seen = [number], set()
    while todo:
        if (number := todo.pop()) not in seen:
            seen.add(number)
            yield plan.nodes[number]
            todo += [edge["source"] for edge in plan.inputs.get(number, [])]
