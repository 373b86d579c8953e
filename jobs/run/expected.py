"""Whether a job should run, as /health counts it: from its first run until it is stopped on request
or, once it has ended, retired."""

from clickhouse_connect.driver.client import Client

from lib.errors import JobError


def should_run(client: Client, database: str, job: str) -> bool:
    """As the earlier runs of a job left it."""
    rows = client.query(
        f"SELECT should_run FROM {database}.job_status FINAL WHERE job = {{job:String}}",
        parameters={"job": job},
    ).result_rows
    return bool(rows and rows[0][0])


def is_known(client: Client, database: str, job: str) -> bool:
    """Whether a job of this name was ever run."""
    rows = client.query(
        f"SELECT count() FROM {database}.job_status WHERE job = {{job:String}}",
        parameters={"job": job},
    ).result_rows
    return bool(rows[0][0])


def retire(client: Client, database: str, job: str) -> bool:
    """Note that a job that has ended need not run again, and return whether it was expected to;
    raise JobError if a runner reports that it runs."""
    rows = client.query(
        f"SELECT should_run, is_alive, age_seconds FROM {database}.jobs WHERE job = {{job:String}}",
        parameters={"job": job},
    ).result_rows
    if rows and rows[0][1]:
        raise JobError(
            f"job {job}: does not run on this machine, but its runner said something "
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
