"""The cluster in Flink's Java, in which a task manager that ends is replaced.

An error while a failed task closes ends the task manager, and Flink's MiniCluster starts no other:
the job would wait for one for ever.
"""

from typing import Any

from pyflink.common import JobClient
from pyflink.util.java_utils import get_field_value

from jobs.flink.java_errors import JAVA_ERRORS, cause
from jobs.flink.rest import Rest
from lib.errors import ServiceError


def mini_cluster(client: JobClient) -> Any:
    """Java's object for the cluster that runs a job, which no public API returns."""
    return get_field_value(client._j_job_client, "miniCluster")


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
