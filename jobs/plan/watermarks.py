"""CURRENT_WATERMARK in a plan whose watermark is the clock."""

import json
from collections.abc import Iterator, Sequence

from jobs.plan import compiled_plan, keys
from jobs.plan.compiled_plan import Plan
from jobs.targets.calls import Call


def notices(plan: Plan, calls: Sequence[Call], options_file: str) -> Iterator[str]:
    """A line for each call whose rows depend on such a watermark: if nothing in the SQL goes by
    event time, Flink's mini-batches replace the watermark of the source by the time of the clock,
    so that every record is late."""
    for call in calls:
        called = compiled_plan.find(plan, call.text)
        nodes = [*compiled_plan.upstream(plan, called.number)] if called else []
        is_clock = any(
            keys.kind(node) == "mini-batch-assigner"
            and node["miniBatchInterval"]["mode"] == "ProcTime"
            for node in nodes
        )
        if is_clock and any("CURRENT_WATERMARK" in json.dumps(node) for node in nodes):
            yield (
                f"{call.place}: CURRENT_WATERMARK is the time of the clock here, after which every "
                "record is late, for no window or pattern goes by event time; set "
                f"table.exec.mini-batch.enabled to false in {options_file}, or leave it out."
            )
