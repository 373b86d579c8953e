"""`python -m bench [--quick] [SECTION ...]`: how fast the pipeline is, beside what people would use
instead.

Starts a stack of its own in a temporary folder, so that nothing else runs in it. Figures are
compared within one run only. Run it with `make bench`; the machine should have nothing else to do.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bench import (
    drain,
    failures,
    figures,
    footprint,
    growth,
    guarantees,
    latency,
    recovery,
    results,
)
from bench.api import suite as api
from bench.contenders import BASELINE, CONTENDERS, OURS, Contender
from bench.sizes import FULL, QUICK, Sizes
from bench.stack import console
from jobs.sql_tests import own_stack
from lib.conf import ROOT
from lib.settings import Settings
from lib.signals import Signals

Section = Callable[[Settings, Sequence[Contender], Sizes, dict[str, Any]], None]
SECTIONS: dict[str, Section] = {
    "drain": drain.section,
    "guarantees": guarantees.section,
    "latency": latency.section,
    "recovery": recovery.section,
    "footprint": footprint.section,
    "api": api.section,
    "growth": growth.section,
}
# Those that measure the stock job alone, and are left out if it is.
OF_OURS = ("recovery", "api", "growth")
# Of a quick run: what needs no installation, and ends within seconds.
IN_QUICK = ("millrace", "loop", "limit-consume", "limit-insert")
QUICK_SECTIONS = ("drain", "latency")
NAMES = [one.name for one in CONTENDERS]


@click.command()
@click.argument("sections", nargs=-1, type=click.Choice([*SECTIONS]))
@click.option(
    "--quick",
    is_flag=True,
    help="One round, few ticks, by default "
    f"{' and '.join(QUICK_SECTIONS)} of {', '.join(IN_QUICK)}.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help=f"Only this contender; may be repeated. One of {', '.join(NAMES)}.",
)
@click.option(
    "--ticks",
    type=click.IntRange(min=1),
    help=f"The backlog to drain. [default: {FULL.ticks:,}, quick {QUICK.ticks:,}]",
)
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    help=f"How often each contender is measured. [default: {FULL.rounds}, quick {QUICK.rounds}]",
)
@click.option(
    "--json",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to store the run. [default: bench/results/suite-<date>.json, in place of another "
    "run of that day; var/bench.json unless it is a whole run]",
)
@click.option("--note", default="", help="What else the machine did meanwhile, for the file.")
def main(
    sections: Sequence[str],
    quick: bool,
    only: Sequence[str],
    ticks: int | None,
    rounds: int | None,
    file: Path | None,
    note: str,
) -> None:
    """Measure the SECTIONS, by default all, and store them as JSON.

    \b
    drain       how fast a backlog is drained, and what that costs
    guarantees  what is lost or stored twice after a kill
    latency     from the moment at which a tick is due to a query that shows it
    recovery    a start, and a start after a kill
    footprint   sizes on the disk and in memory
    api         the endpoints, by the size of the table and by clients
    growth      the job by partitions, tasks, symbols, rules and rows: the first cases, or all if
                growth is named

    The exit status is 1 if a program failed, whatever the figures are, and 2 for a wrong option."""
    Signals().interrupt(SystemExit)
    sizes = QUICK if quick else FULL
    sizes = replace(
        sizes,
        ticks=sizes.ticks if ticks is None else ticks,
        rounds=sizes.rounds if rounds is None else rounds,
        latency_rounds=sizes.latency_rounds if rounds is None else rounds,
        growth_cases=len(growth.CASES) if "growth" in sections else sizes.growth_cases,
    )
    is_whole = not (quick or only or sections)
    file = file or (None if is_whole else ROOT / "var" / "bench.json")
    contenders = chosen(only, quick)
    run = results.machine() | {"note": note, "is_quick": quick} | about(contenders)
    wanted = sections or (QUICK_SECTIONS if quick else [*SECTIONS])
    able = [one for one in contenders if one.reason() is None]
    measured = [name for name in wanted if is_measurable(name, able)]
    if not measured:
        raise click.UsageError("nothing of that can be measured; choose another contender.")
    warn(quick)
    measure(run, measured, able, sizes, file)
    if found := failures.noted(run):
        raise click.ClickException(f"{len(found)} failed:\n" + "\n".join(found))


def measure(
    run: dict[str, Any],
    sections: Sequence[str],
    contenders: Sequence[Contender],
    sizes: Sizes,
    file: Path | None,
) -> None:
    """Run the sections on one stack; what they have measured is stored after each, and after
    Ctrl-C what there is by then."""
    where = None
    try:
        with tempfile.TemporaryDirectory() as folder, own_stack.running(Path(folder)) as config:
            for name in sections:
                console.print(name)
                try:
                    SECTIONS[name](config, contenders, sizes, run.setdefault(name, {}))
                finally:
                    if any(run.get(each) for each in sections):
                        where = results.store("suite", run, file)
        for line in ratios(run):
            console.print(line)
    finally:
        console.print(f"stored in {where}" if where else "nothing was measured, nor stored")


def is_measurable(section: str, able: Sequence[Contender]) -> bool:
    """Whether a section has something to measure with these contenders."""
    return any(one.name == OURS for one in able) if section in OF_OURS else bool(able)


def warn(is_quick: bool) -> None:
    """Say what makes the figures of this run worse than they need be."""
    load, cores = os.getloadavg()[0], len(os.sched_getaffinity(0))
    if load > cores / 2:
        console.print(f"The machine is busy (load {load:.1f}, {cores} cores): figures will be low.")
    if is_quick:
        console.print(
            "A quick run drains few ticks, so that much of it is the start of Java: its figures "
            "are not those of a whole run."
        )


def ratios(run: dict[str, Any]) -> Iterator[str]:
    """How each contender drained, and what that cost, by the baseline of the same rounds."""
    for name in run.get("drain", {}).get("contenders", {}):
        rate, cost = figures.rate_ratio(run, name), figures.cost_ratio(run, name)
        if name != BASELINE and rate is not None and cost is not None:
            yield f"{name}: {rate:.2f} of the {BASELINE}'s rate, {cost:.2f} of its cost"


def chosen(only: Sequence[str], quick: bool) -> list[Contender]:
    """The contenders of a run; raise UsageError for a name that none has."""
    for name in only:
        if name not in NAMES:
            raise click.UsageError(f"{name} is no contender; known: {', '.join(NAMES)}")
    wanted = only or (IN_QUICK if quick else NAMES)
    return [one for one in CONTENDERS if one.name in wanted]


def about(contenders: Sequence[Contender]) -> dict[str, Any]:
    """What the contenders are, and why one is not measured."""
    for one in contenders:
        if reason := one.reason():
            console.print(f"left out: {reason}")
    return {
        "contenders": {
            one.name: {
                "what": one.what,
                "guarantee": one.guarantee,
                "kind": one.kind,
                "missing": one.reason(),
            }
            for one in contenders
        }
    }


if __name__ == "__main__":
    main(prog_name="python -m bench")
