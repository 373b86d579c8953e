"""The checks one after another: a line for each finding, or all as JSON."""

import json
from collections.abc import Iterator
from functools import partial

from rich.console import Console
from rich.markup import escape

from jobs.doctor import machine, running, servers
from jobs.doctor.findings import Check, Finding, found
from lib.settings import Settings

# The checks that ask ClickHouse, when it has answered one before.
_OF_CLICKHOUSE = ("reader", "jobs")


def run(config: Settings, *, as_json: bool) -> bool:
    """Print what all checks find; return whether all is as it should be."""
    if as_json:
        findings = [*_all(config)]
        print(json.dumps([each.as_json() for each in findings], indent=2))
    else:
        console = Console(highlight=False, soft_wrap=True)
        findings = []
        for each in _all(config):
            findings.append(each)
            _print(console, each)
        wrong = sum(not each.is_ok for each in findings)
        console.print(f"{len(findings) - wrong} ok, {wrong} to fix")
    return all(each.is_ok for each in findings)


def _all(config: Settings) -> Iterator[Finding]:
    checks: dict[str, Check] = {
        "python": machine.python,
        "java": machine.java_and_jars,
        "room": partial(machine.room, config),
        "kafka": partial(servers.kafka_and_topics, config),
        "clickhouse": partial(servers.clickhouse_of_jobs, config),
        "reader": partial(servers.clickhouse_of_api, config),
        "ports": partial(servers.served, config),
        "jobs": partial(running.all_jobs, config),
    }
    has_clickhouse = True
    for name, check in checks.items():
        if has_clickhouse or name not in _OF_CLICKHOUSE:
            for each in found(name, check):
                has_clickhouse &= each.check != "clickhouse" or each.is_ok
                yield each


def _print(console: Console, finding: Finding) -> None:
    word = "[green]ok [/]" if finding.is_ok else "[bold red]FIX[/]"
    remedy = "" if finding.is_ok else f"; {finding.remedy}"
    console.print(f"{word} {finding.check:16}{escape(finding.fact + remedy)}")
