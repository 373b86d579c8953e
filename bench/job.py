"""`python -m bench.job JOB KEY=VALUE ...`: run a job with options of Flink that replace those of
conf/flink.yaml."""

import sys

from jobs.__main__ import main as program
from lib import conf


def main(job: str, *changes: str) -> None:
    """Run it as `python -m jobs run JOB` does."""
    options = conf.flink_options() | dict(change.split("=", 1) for change in changes)
    # What the job calls to read the file.
    conf.flink_options = lambda *_: options
    program(["run", job], prog_name="python -m bench.job")


if __name__ == "__main__":
    main(*sys.argv[1:])
