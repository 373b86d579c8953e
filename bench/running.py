"""A contender that runs: how it is started, and how it ends with all its processes."""

import os
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import click
import psutil
from clickhouse_connect.driver.client import Client

from bench.contenders import Contender
from lib import ports
from lib.conf import ROOT
from lib.processes import end_with_parent
from lib.settings import Settings
from lib.waiting import until

TABLE = "stocks.ticks"


@dataclass(frozen=True, slots=True)
class Task:
    """What a contender is to do, and where it keeps what it must know when it is started again."""

    config: Settings
    topic: str
    state: Path
    group: str = field(default_factory=lambda: f"bench-{uuid.uuid4().hex[:12]}")
    rest_port: int = field(default_factory=lambda: ports.free(1)[0])
    # Settings of the environment beside those of all contenders.
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """The entry of the environment by which its processes are known."""
        return f"BENCH_STATE={self.state}"

    @property
    def environ(self) -> dict[str, str]:
        """What all contenders get, and the settings of ours."""
        servers = self.config.kafka.bootstrap_servers
        return os.environ | {
            "BENCH_SERVERS": servers,
            "BENCH_TOPIC": self.topic,
            "BENCH_GROUP": self.group,
            "BENCH_CLICKHOUSE": f"http://{self.config.clickhouse.address}/",
            "BENCH_TABLE": TABLE,
            "BENCH_STATE": str(self.state),
            "MILLRACE_DATA_DIR": str(self.state),
            "MILLRACE_KAFKA__TOPIC": self.topic,
            "MILLRACE_FLINK__REST_PORT": str(self.rest_port),
            **self.settings,
        }


@contextmanager
def task(config: Settings, topic: str, **settings: str) -> Iterator[Task]:
    """A task with an empty folder, which goes with the block."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        yield Task(config, topic, Path(folder), settings=settings)


@contextmanager
def started(contender: Contender, given: Task) -> Iterator["subprocess.Popen[bytes]"]:
    """Run it; all its processes are killed at the end."""
    with (given.state / "output.log").open("ab") as log:
        process = subprocess.Popen(
            contender.command,
            cwd=ROOT,
            env=given.environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
    try:
        yield process
    finally:
        kill(given)
        process.wait()


def kill(given: Task) -> None:
    """SIGKILL to every process of a contender; return when all have ended."""
    name, _, value = given.mark.partition("=")

    def have_ended() -> bool:
        left = [process for process in psutil.process_iter() if has(process, name, value)]
        for process in left:
            # It may have ended since, with the one that started it.
            with suppress(psutil.NoSuchProcess):
                process.kill()
        return not left

    if not until(have_ended, 30, pause=0.05):
        raise click.ClickException(f"processes with {given.mark} do not end")


def has(process: psutil.Process, name: str, value: str) -> bool:
    """Whether a process that has not ended has this in its environment."""
    try:
        is_over = process.status() == psutil.STATUS_ZOMBIE
        return not is_over and process.environ().get(name) == value
    except psutil.Error:
        return False


def check(process: "subprocess.Popen[bytes]", contender: Contender, given: Task) -> None:
    """Raise ClickException with the last lines of its output if it has ended."""
    if process.poll() is not None:
        lines = (given.state / "output.log").read_text(errors="replace").splitlines()
        text = "\n".join(lines[-15:])
        raise click.ClickException(f"{contender.name} ended with {process.returncode}:\n{text}")


def empty(client: Client) -> None:
    """Remove all rows of the schema's tables, as if nothing had run."""
    names = client.query(
        "SELECT name FROM system.tables WHERE database = 'stocks' AND engine LIKE '%MergeTree'"
        " AND name != 'schema_migrations'"
    ).result_rows
    for (name,) in names:
        client.command(f"TRUNCATE TABLE stocks.{name}")
