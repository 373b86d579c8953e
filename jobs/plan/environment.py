"""Flink's options for a job, and the table environment that has them."""

import sys
from collections.abc import Mapping

from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, TableEnvironment

from jobs.flink import connections, gateway
from lib import jars, java
from lib.settings import Settings

Options = Mapping[str, str]

# A partition that waits for its turn is not idle, however slow the machine is.
_ALL_IS_THERE = {"table.exec.source.idle-timeout": "0 ms"}


def create(config: Settings, job: str, flink: Options) -> TableEnvironment:
    """A streaming table environment with these options, in the Java that runs."""
    connections.keep_apart()
    configuration = Configuration()
    for key, value in options(config, job, flink).items():
        configuration.set_string(key, value)
    environment = EnvironmentSettings.new_instance().in_streaming_mode()
    return TableEnvironment.create(environment.with_configuration(configuration).build())


def options(config: Settings, job: str, flink: Options) -> dict[str, str]:
    """Flink's options with defaults for paths and names, and the address of its REST API, which is
    a setting of ours because the runner calls it."""
    return {
        "pipeline.name": job,
        "pipeline.jars": ";".join(jar.as_uri() for jar in jars.flink_jars()),
        "python.executable": gateway.WORKER.name,
        "python.client.executable": sys.executable,
        **flink,
        "rest.address": config.flink.rest_host,
        "rest.bind-address": config.flink.rest_host,
        "rest.port": str(config.flink.rest_port),
    }


def bounded(flink: Options, own: Options) -> dict[str, str]:
    """The options of a job for a run that ends by itself, in a JVM of its own, without saved state:
    `own` say where it runs and what follows a failure."""
    state = ("execution.checkpointing.", "restart-strategy.")
    kept = {name: value for name, value in flink.items() if not name.startswith(state)}
    return short_lived({**kept, **_ALL_IS_THERE, **own})


def short_lived(flink: Options) -> dict[str, str]:
    """The same options for a JVM that only plans."""
    return {
        **flink,
        gateway.JVM_OPTIONS: f"{flink.get(gateway.JVM_OPTIONS, '')} {java.SHORT_LIVED}".strip(),
    }
