"""`python -m bench.job JOB [--sql FOLDER] [KEY=VALUE ...]`: run a job with other SQL files and
options of Flink than those of the project."""

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
def main(job: str, changes: Sequence[str], sql: Path | None) -> None:
    """Run JOB as `python -m jobs run JOB` does, with options KEY=VALUE that replace those of
    conf/flink.yaml, and files that replace those of the same number."""
    read, replaced = conf.flink_options, dict(change.split("=", 1) for change in changes)
    # What the job calls to read conf/flink.yaml, and its own options.
    conf.flink_options = lambda file=conf.FLINK_FILE: read(file) | replaced
    if sql:
        copy = conf.load().data_dir / "sql"
        os.environ["MILLRACE_SQL_DIR"] = str(copy)
        # One that is there is that of an earlier start.
        if not copy.exists():
            shutil.copytree(conf.ROOT / "sql", copy)
            replace(copy / "flink" / job, sql)
    program(["run", job], prog_name="python -m bench.job")


def replace(folder: Path, others: Path) -> None:
    """Put files in the place of those of the same number."""
    for other in others.glob("*.sql"):
        for file in folder.glob(f"{other.name[:3]}_*.sql"):
            file.unlink()
        shutil.copy(other, folder)


if __name__ == "__main__":
    main()
