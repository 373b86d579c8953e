"""State that a plan keeps for ever, which fills memory and disk if its keys never end."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jobs.plan import compiled_plan, expressions, keys
from jobs.plan.compiled_plan import Plan
from jobs.targets.calls import Call

TTL = "table.exec.state.ttl"


def notices(plan: Plan, calls: Sequence[Call], options_file: str) -> Iterator[str]:
    """A line for each operator whose state nothing removes, with the call that needs it."""
    seen = set[int]()
    for call in calls:
        called = compiled_plan.find(plan, call.text)
        for node in compiled_plan.upstream(plan, called.number) if called else ():
            if node["id"] not in seen and (state := _endless(plan, node)):
                seen.add(node["id"])
                yield (
                    f"{call.place}: {state}, for ever; if their number has no end, give the SELECT "
                    f"/*+ STATE_TTL('its table' = '1d') */, or set {TTL} in {options_file}."
                )


def _endless(plan: Plan, node: Mapping[str, Any]) -> str:
    """What an operator keeps without a time limit; empty if it is nothing."""
    kind = keys.kind(node)
    if kind == "match":
        if node["matchSpec"].get("interval"):
            return ""
        return "MATCH_RECOGNIZE without WITHIN keeps each match that has begun"
    if all(_has_end(state["ttl"]) for state in node.get("state") or ()):
        return ""
    columns = _grouping(plan, node)
    each = f"each value of {', '.join(columns)}" if columns else "all rows"
    return f"Flink's {kind} keeps state of {each}"


def _has_end(ttl: str) -> bool:
    return not ttl.startswith("0 ")


def _grouping(plan: Plan, node: Mapping[str, Any]) -> list[str]:
    numbers = node.get("grouping") or node.get("uniqueKeys") or []
    sources = plan.inputs.get(node["id"], [])
    names = expressions.fields(plan.nodes[sources[0]["source"]]["outputType"]) if sources else []
    return [names[number] for number in numbers]
