"""`python -m bench [--quick] [SECTION ...]`: how fast the pipeline is, beside what people would use
instead.

Starts a stack of its own in a temporary folder, so that nothing else runs in it. Figures are
compared within one run only. Run it with `make bench`; the machine should have nothing else to do.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
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
from bench.stack import console, stack
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


@click.command()
@click.argument("sections", nargs=-1, type=click.Choice([*SECTIONS]))
@click.option("--quick", is_flag=True, help="One round, few ticks, few contenders.")
@click.option("--only", multiple=True, metavar="NAME", help="Only this contender; may be repeated.")
@click.option("--ticks", type=int, help="The backlog to drain.")
@click.option("--rounds", type=int, help="How often each contender is measured.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Where to store the run.")
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

    A whole run is stored in bench/results/, another in var/. The exit status is 1 if a program
    failed, whatever the figures are."""
    Signals().interrupt(SystemExit)
    sizes = QUICK if quick else FULL
    sizes = replace(
        sizes,
        ticks=ticks or sizes.ticks,
        rounds=rounds or sizes.rounds,
        latency_rounds=rounds or sizes.latency_rounds,
        growth_cases=len(growth.CASES) if "growth" in sections else sizes.growth_cases,
    )
    is_whole = not (quick or only or sections)
    file = file or (None if is_whole else ROOT / "var" / "bench.json")
    run = results.machine() | {"note": note, "is_quick": quick} | about(chosen(only, quick))
    measure(
        run,
        sections or (QUICK_SECTIONS if quick else [*SECTIONS]),
        chosen(only, quick),
        sizes,
        file,
    )
    if found := failures.noted(run):
        raise click.ClickException(f"{len(found)} failed:\n" + "\n".join(found))


def measure(
    run: dict[str, Any],
    sections: Sequence[str],
    contenders: Sequence[Contender],
    sizes: Sizes,
    file: Path | None,
) -> None:
    """Run the sections on one stack; what they have measured is stored after each."""
    able = [one for one in contenders if one.reason() is None]
    store = partial(results.store, "suite", run, file)
    with tempfile.TemporaryDirectory() as folder, stack(Path(folder)) as config:
        for name in sections:
            if name in OF_OURS and OURS not in [one.name for one in able]:
                continue
            console.print(name)
            try:
                SECTIONS[name](config, able, sizes, run.setdefault(name, {}))
            finally:
                where = store()
    for line in ratios(run):
        console.print(line)
    console.print(f"stored in {where}")


def ratios(run: dict[str, Any]) -> Iterator[str]:
    """How each contender drained, and what that cost, by the baseline of the same rounds."""
    for name in run.get("drain", {}).get("contenders", {}):
        rate, cost = figures.rate_ratio(run, name), figures.cost_ratio(run, name)
        if name != BASELINE and rate is not None and cost is not None:
            yield f"{name}: {rate:.2f} of the {BASELINE}'s rate, {cost:.2f} of its cost"


def chosen(only: Sequence[str], quick: bool) -> list[Contender]:
    """The contenders of a run; raise ClickException for a name that none has."""
    known = [one.name for one in CONTENDERS]
    for name in only:
        if name not in known:
            raise click.ClickException(f"{name} is no contender; known: {', '.join(known)}")
    wanted = only or (IN_QUICK if quick else known)
    return [one for one in CONTENDERS if one.name in wanted]


def about(contenders: Sequence[Contender]) -> dict[str, Any]:
    """What the contenders are, and why one is not measured."""
    for one in contenders:
        if reason := one.reason():
            console.print(f"{one.name}: left out: {reason}")
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
