"""The topics of the benchmarks, and the process that fills them."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import click
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from lib.conf import ROOT
from lib.processes import end_with_parent
from lib.settings import Settings

PARTITIONS = 4
# The entry by which the processes of the load are known.
MARK = "BENCH_LOAD=1"


@contextmanager
def filled(
    config: Settings,
    count: int,
    *,
    partitions: int = PARTITIONS,
    symbols: int = 100,
    is_calm: bool = False,
) -> Iterator[str]:
    """The name of a new topic with so many ticks, which is deleted after the block."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": config.kafka.bootstrap_servers, "log_level": 0})
    admin.create_topics([NewTopic(name, partitions, 1)])[name].result(60)
    options = [f"--count={count}", f"--symbols={symbols}", *(["--calm"] if is_calm else [])]
    load(config, name, "fill", *options, partitions=partitions)
    yield name
    # Else the disk would hold the backlogs of all sections.
    with suppress(KafkaException):
        admin.delete_topics([name])[name].result(60)


def load(
    config: Settings, topic: str, command: str, *options: str, partitions: int = PARTITIONS
) -> None:
    """Run bench.ticks to its end."""
    servers = config.kafka.bootstrap_servers
    common = ["--servers", servers, "--topic", topic, "--partitions", str(partitions)]
    _run([command, *common, *options])


def _run(arguments: Sequence[str]) -> None:
    name, _, value = MARK.partition("=")
    ended = subprocess.run(
        [sys.executable, "-m", "bench.ticks", *arguments],
        cwd=ROOT,
        env=os.environ | {name: value},
        preexec_fn=end_with_parent,
    )
    if ended.returncode:
        raise click.ClickException(f"bench.ticks {arguments[0]} ended with {ended.returncode}")
