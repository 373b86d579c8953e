"""The topics of the benchmarks, and the process that fills them."""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

import click
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from lib.conf import ROOT
from lib.processes import end_with_parent
from lib.settings import Settings

PARTITIONS = 4
# The entry by which the processes of the load are known.
MARK = "BENCH_LOAD=1"


def make(config: Settings, name: str, partitions: int = PARTITIONS) -> str:
    """Create a topic, in place of one of that name, and return its name."""
    admin = AdminClient({"bootstrap.servers": config.kafka.bootstrap_servers})
    with suppress(KafkaException):
        admin.delete_topics([name])[name].result(60)
    new = NewTopic(name, partitions, 1)
    admin.create_topics([new])[name].result(60)
    return name


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
