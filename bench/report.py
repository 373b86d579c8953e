"""`python -m bench.report FILE`: writes the tables of a stored run into docs/benchmarks.md.

Each table stands between two comments, <!-- drain --> and <!-- end of drain -->."""

from collections.abc import Callable
from pathlib import Path

import click

from bench import results, tables
from bench.figures import Run
from lib.conf import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
# Where bench.plots draws.
PICTURES = ROOT / "docs" / "benchmarks"
NOTHING = "Not measured in a stored run."
# By name: what a run must have, and what makes the table of it.
TABLES: dict[str, tuple[str, Callable[[Run], str]]] = {
    "machine": ("date", tables.machine),
    "goals": ("drain", tables.reached),
    "contenders": ("contenders", tables.contenders),
    "drain": ("drain", tables.drain),
    "guarantees": ("guarantees", tables.guarantees),
    "latency": ("latency", tables.latency),
    "recovery": ("recovery", tables.recovery),
    "footprint": ("footprint", tables.footprint),
    "api": ("api", tables.api),
    "growth": ("growth", tables.growth),
}
# Of a run of growth alone, which has more cases.
ALONE = "growth_alone"
TABLES_ALONE = {
    "machine_alone": ("date", tables.machine),
    ALONE: ("growth", tables.growth),
}


def is_alone(run: Run) -> bool:
    """Whether a run has growth and no other section."""
    others = {section for section, _ in TABLES.values()} - {"growth", "date", "contenders"}
    return bool(run.get("growth")) and not any(map(run.get, others))


def fill(text: str, run: Run) -> str:
    """The page with the tables of a run in the place of those that it has."""
    for name, (section, of_run) in (TABLES_ALONE if is_alone(run) else TABLES).items():
        shown = of_run(run) + picture(name) if run.get(section) else NOTHING
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise click.ClickException(f"the page has no {begin.strip()} with its end")
        text = f"{before}{begin}\n{shown}\n\n{end}{after}"
    return text


def picture(name: str) -> str:
    """What shows the plot of a table, if bench.plots has drawn it."""
    file = PICTURES / f"{name}.png"
    return f"\n\n![{name}]({file.relative_to(PAGE.parent)})" if file.exists() else ""


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(file: Path) -> None:
    """Write the tables of the run in FILE into docs/benchmarks.md: of a whole run, or of growth."""
    run = results.read(file)
    missing = [name for name, (section, _) in TABLES.items() if not run.get(section)]
    if missing and not is_alone(run):
        raise click.UsageError(
            f"{file} has no {', '.join(missing)}: the page shows whole runs, and one of growth "
            "alone; name such a file, as bench/results/suite-<date>.json."
        )
    text = PAGE.read_text(encoding="utf-8")
    with results.explained(file):
        text = fill(text, run)
    PAGE.write_text(text, encoding="utf-8")
    click.echo(PAGE.relative_to(ROOT))


if __name__ == "__main__":
    main()
