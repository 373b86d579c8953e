"""`make soak`: run the whole pipeline for long, sample what it uses, and audit it at the end.

Starts a stack of its own in a temporary folder, with the API and a client of its stream, and sends
ticks, bad records among them. Each sample and the result of the audit are stored in bench/results/.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import click

from bench import results
from bench.soak import sample
from bench.soak.probe import Probe
from bench.stack import console, progress
from jobs.sql_tests import own_stack
from lib import clickhouse
from lib.conf import ROOT
from lib.settings import Settings
from lib.signals import Signals
from lib.waiting import until

# How long the job may take to read what is left at the end, in seconds.
DRAIN_LIMIT = 300.0


@click.command()
@click.option("--minutes", default=60.0, show_default=True, help="How long.")
@click.option("--rate", default=2_000, show_default=True, help="Records a second.")
@click.option("--bad", default=100, show_default=True, help="One record in so many is no tick.")
@click.option("--every", default=10, show_default=True, help="Seconds from sample to sample.")
@click.option("--json", "file", type=click.Path(path_type=Path), help=results.HELP)
@click.option("--note", default="", help="What else the machine did meanwhile, for the file.")
def main(minutes: float, rate: int, bad: int, every: int, file: Path | None, note: str) -> None:
    """Run the pipeline for long, and store what it used."""
    run = results.machine() | {"note": note, "minutes": minutes, "rate": rate, "bad_one_in": bad}
    samples: list[dict[str, Any]] = []
    # What was sampled is stored if it is ended early, too.
    Signals().interrupt(SystemExit)
    with tempfile.TemporaryDirectory() as folder, own_stack.running(Path(folder)) as config:
        try:
            with ExitStack() as running:
                running.enter_context(own_stack.program("jobs", "run", "stocks", until=" s ago"))
                running.enter_context(own_stack.program("api", until="endpoints at"))
                threading.Thread(target=follow, args=[config.api.port], daemon=True).start()
                with (
                    own_stack.program(
                        "bench.soak.load", f"--rate={rate}", f"--bad={bad}", until=None
                    ),
                    Probe(config) as probe,
                ):
                    watch(config, probe, samples, round(60 * minutes / every), every)
                run["audit"] = audit()
        finally:
            where = results.store("soak", run | series(samples), file)
            console.print(f"stored in {where}")


def watch(
    config: Settings, probe: Probe, samples: list[dict[str, Any]], count: int, every: int
) -> None:
    """Take so many samples."""
    client, begun = clickhouse.connect(config.clickhouse), time.monotonic()
    for number in progress(range(1, count + 1), "running"):
        time.sleep(max(0.0, begun + number * every - time.monotonic()))
        taken = sample.take(config.data_dir, client)
        seconds = round(time.monotonic() - begun, 1)
        samples.append({"seconds": seconds, "latency_ms": probe.take()} | taken)


def series(samples: list[dict[str, Any]]) -> dict[str, Any]:
    """The samples by what they measure: a list of numbers for each name, None where one lacks."""

    def column(kind: str) -> dict[str, list[float | None]]:
        names = sorted({name for each in samples for name in each[kind]})
        return {name: [each[kind].get(name) for each in samples] for name in names}

    kinds = [kind for kind in samples[0] if kind != "seconds"] if samples else []
    return {"seconds": [each["seconds"] for each in samples]} | {k: column(k) for k in kinds}


def audit() -> dict[str, Any]:
    """The numbers of an audit, as soon as everything is read."""

    def read_all() -> dict[str, Any] | None:
        command = [sys.executable, "-m", "jobs", "audit", "stocks", "--json"]
        ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        shown: dict[str, Any] = json.loads(ended.stdout)
        return None if any(part["not_read"] for part in shown["partitions"]) else shown

    shown = until(read_all, DRAIN_LIMIT, pause=5) or {"partitions": [], "is_complete": False}
    total = {
        name: sum(part[name] for part in shown["partitions"])
        for name in ("stored", "dead_letters", "no_record")
    }
    console.print(f"audit: {total}, complete: {shown['is_complete']}")
    return total | {"is_complete": shown["is_complete"]}


def follow(port: int) -> None:
    """Read the stream of the API until it ends."""
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/api/stream")
    response = connection.getresponse()
    while response.read1(1 << 16):
        pass


if __name__ == "__main__":
    main(prog_name="python -m bench.soak")
