"""`python -m tests.chaos.table FILE`: the tables of docs/reliability.md, from a stored run."""

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

Rounds = list[dict[str, Any]]


def rounds(run: Rounds) -> str:
    """One line per round."""
    lines = [
        "| seed | faults, in order | load | records | dead letters | merged | lost, doubled |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    for one in run:
        counts = one["counts"]
        faults = ", ".join(map(_name, one["recoveries"]))
        numbers = (counts["sent"], counts["dead_letters"], counts["merged"], 0)
        shown = " | ".join(f"{number:,}" for number in numbers)
        lines.append(f"| {one['seed']} | {faults} | {one['load']:.0f} | {shown} |")
    return "\n".join(lines)


def _name(recovery: dict[str, Any]) -> str:
    during = recovery["during"]
    return f"{during} + {recovery['fault']}" if during else str(recovery["fault"])


def recoveries(run: Rounds) -> str:
    """One line per fault that came alone: how often, and the seconds until new ticks were there."""
    seconds = defaultdict(list)
    for one in run:
        for each in one["recoveries"]:
            if not each["during"] and each["seconds"] is not None:
                seconds[each["fault"]].append(each["seconds"])
    lines = ["| fault | times | fastest | median | slowest |", "|---|---:|---:|---:|---:|"]
    for fault, values in sorted(seconds.items()):
        values.sort()
        low, middle, high = values[0], values[len(values) // 2], values[-1]
        lines.append(f"| {fault} | {len(values)} | {low} | {middle} | {high} |")
    return "\n".join(lines)


if __name__ == "__main__":
    run = [one for one in json.loads(Path(sys.argv[1]).read_text())["rounds"] if one["counts"]]
    print(rounds(run), recoveries(run), sep="\n\n")
