"""`python -m tests.chaos`: kill, freeze, restart, cut and fill the real stack under load, and then
account for every record."""

import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from bench import results
from tests.chaos import disks, rounds
from tests.chaos.rounds import Round


@click.command()
@click.option("--seed", default=1, show_default=True, help="The seed of the first round.")
@click.option("--rounds", "count", default=1, show_default=True, help="How many rounds.")
@click.option("--output", type=Path, help=results.HELP)
def main(seed: int, count: int, output: Path | None) -> None:
    """Play rounds with the seeds from SEED on; exit 1 if a record is lost, doubled or misplaced."""
    disks.enter()
    if not disks.can_mount():
        click.echo("no disk is filled: this machine lets a program mount no file system")
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    run = results.machine() | {"rounds": []}
    for one in rounds.play(range(seed, seed + count), folder):
        show(one)
        run["rounds"].append(asdict(one))
        results.store("chaos", run, output)
    failed = [one["seed"] for one in run["rounds"] if one["error"]]
    if failed:
        click.echo(f"failed: {failed}; the files of those rounds are in {folder}")
        sys.exit(1)
    shutil.rmtree(folder)


def show(one: Round) -> None:
    """Print a round in lines, and how to play it again if it failed."""
    faults = ", ".join(
        f"{each.fault}{' during ' + each.during if each.during else ''} {each.seconds} s"
        for each in one.recoveries
    )
    click.echo(f"seed {one.seed}: {one.seconds} s, load {one.load}: {faults}: {one.counts}")
    if one.error:
        click.echo(f"seed {one.seed} FAILED: {one.error}")
        click.echo(f"play it again with `make chaos SEED={one.seed} ROUNDS=1`")


if __name__ == "__main__":
    main()
