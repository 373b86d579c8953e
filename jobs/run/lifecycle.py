"""Whether a job should run, which /health counts: from its first run until it is stopped on request
or, if it has ended by itself, retired."""

from typing import Any

from clickhouse_connect.driver.client import Client

from lib.errors import JobError


def should_run(client: Client, database: str, job: str) -> bool:
    """Whether the last run of a job left it so."""
    rows = _select(client, "should_run", f"{database}.job_status FINAL", job)
    return bool(rows and rows[0][0])


def has_run(client: Client, database: str, job: str) -> bool:
    """Whether a job of this name was ever run."""
    return bool(_select(client, "count()", f"{database}.job_status", job)[0][0])


def retire(client: Client, database: str, job: str) -> bool:
    """Note that a job that has ended need not run again, and return whether it was expected to;
    raise JobError if a runner reports that it runs."""
    rows = _select(client, "should_run, is_alive, age_seconds", f"{database}.jobs", job)
    if rows and rows[0][1]:
        raise JobError(
            f"job {job}: does not run on this machine, but its runner reported "
            f"{rows[0][2]:.0f} s ago; stop it where it runs, or wait 10 s if it was killed."
        )
    if not rows or not rows[0][0]:
        return False
    client.command(
        f"INSERT INTO {database}.job_status (job, run_id, state, should_run)"
        f" SELECT job, run_id, 'STOPPED', false FROM {database}.job_status FINAL"
        " WHERE job = {job:String}",
        parameters={"job": job},
    )
    return True


def _select(client: Client, columns: str, table: str, job: str) -> Any:
    query = f"SELECT {columns} FROM {table} WHERE job = {{job:String}}"
    return client.query(query, parameters={"job": job}).result_rows
