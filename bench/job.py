"""`python -m bench.job JOB [KEY=VALUE ...]`: run a job with other SQL files, inserts and options of
Flink than those of the project."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import click

from jobs.__main__ import main as program
from lib import conf


@click.command()
@click.argument("job")
@click.argument("changes", nargs=-1)
@click.option(
    "--sql", type=click.Path(exists=True, path_type=Path), help="Files that replace some."
)
@click.option("--insert", "inserts", multiple=True, help="Only this insert; may be repeated.")
def main(job: str, changes: Sequence[str], sql: Path | None, inserts: Sequence[str]) -> None:
    """Run JOB as `python -m jobs run JOB` does, with options KEY=VALUE that replace those of
    conf/flink.yaml, files that replace those of the same number, and some of its inserts."""
    read, replaced = conf.flink_options, dict(each.split("=", 1) for each in changes)
    # What the job calls to read conf/flink.yaml, and its own options.
    conf.flink_options = lambda file=conf.FLINK_FILE: read(file) | replaced
    if sql or inserts:
        copy = conf.load().data_dir / "sql"
        os.environ["MILLRACE_SQL_DIR"] = str(copy)
        # One that is there is that of an earlier start.
        if not copy.exists():
            shutil.copytree(conf.ROOT / "sql", copy)
            change(copy / "flink" / job, sql, inserts)
    program(["run", job], prog_name="python -m bench.job")


def change(folder: Path, others: Path | None, inserts: Sequence[str]) -> None:
    """Put files in the place of those of the same number, and remove all inserts but some, if some
    are given."""
    for other in others.glob("*.sql") if others else ():
        for file in folder.glob(f"{other.name[:3]}_*.sql"):
            file.unlink()
        shutil.copy(other, folder)
    names = {file.stem.partition("_insert_")[2]: file for file in folder.glob("*_insert_*.sql")}
    if unknown := {*inserts} - names.keys():
        raise click.UsageError(f"no insert {', '.join(unknown)}; there are {', '.join(names)}.")
    for name, file in names.items() if inserts else ():
        if name not in inserts:
            file.unlink()


if __name__ == "__main__":
    main()
