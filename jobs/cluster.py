"""Flink's cluster inside this process: a task manager that ends has another in its place."""

from pyflink.common import JobClient
from pyflink.util.java_utils import get_field_value

from jobs.rest import Rest


class Cluster:
    """The MiniCluster that runs a job. Its task manager ends at an error in the cleaning up of a
    task; Flink starts no other, and the job would wait for one for ever."""

    def __init__(self, client: JobClient) -> None:
        # No public way leads from a job to its cluster.
        self.mini_cluster = get_field_value(client._j_job_client, "miniCluster")

    def replace_lost(self, rest: Rest) -> bool:
        """Start a task manager if none is left, and return whether it was so: Flink starts the job
        again from its last checkpoint. Raise ServiceError if Flink does not answer."""
        if rest.task_managers():
            return False
        self.mini_cluster.startTaskManager()
        return True
