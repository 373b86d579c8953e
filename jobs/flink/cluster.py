"""The cluster in Flink's Java, in which a task manager that ends is replaced.

An error while a failed task closes ends the task manager, and Flink's MiniCluster starts no other:
the job would wait for one for ever.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pyflink.common import Configuration, JobClient
from pyflink.java_gateway import get_gateway
from pyflink.util.java_utils import get_field_value

from jobs.flink.java_errors import JAVA_ERRORS, cause
from jobs.flink.rest import Rest
from lib.errors import ServiceError


def mini_cluster(client: JobClient) -> Any:
    """Java's object for the cluster that runs a job, which no public API returns."""
    return get_field_value(client._j_job_client, "miniCluster")


@contextmanager
def shared(options: Mapping[str, str]) -> Iterator[int]:
    """Run a cluster with these options for several jobs, one after another: the port of its REST
    API."""
    configuration = Configuration()
    for key, value in options.items():
        configuration.set_string(key, value)
    package = get_gateway().jvm.org.apache.flink.runtime.minicluster
    built = package.MiniClusterConfiguration.Builder()
    built = built.setConfiguration(configuration._j_configuration)
    cluster = package.MiniCluster(built.setNumTaskManagers(1).setNumSlotsPerTaskManager(1).build())
    try:
        cluster.start()
        yield cluster.getRestAddress().get().getPort()
    finally:
        cluster.close()


def replace_task_manager(cluster: Any, rest: Rest) -> bool:
    """Start a task manager if none is left, and return whether it did; Flink then restarts the job
    from its last checkpoint. Raise ServiceError if Flink does not answer or starts none."""
    if rest.task_managers():
        return False
    try:
        cluster.startTaskManager()
    except JAVA_ERRORS as error:
        raise ServiceError(
            f"Flink at {rest.address} starts no task manager: {cause(error)}; see {rest.logs}."
        ) from error
    return True
