"""Shows how Flink would run a job, without running it."""

import click
from clickhouse_connect.driver.client import Client
from pyflink.table import StatementSet

from jobs.flink import gateway, java_errors
from jobs.flink.java_errors import JAVA_ERRORS
from jobs.job import Job
from jobs.plan import build, check, environment
from lib import clickhouse
from lib.errors import JobError, UnavailableError
from lib.settings import Settings


def explain(config: Settings, job: Job) -> None:
    """Print the execution plan; raise JobError unless the sink can rely on it and the tables take
    its rows."""
    options = environment.short_lived(job.flink_options)
    with gateway.running(config.data_dir, f"{job.name}-plan", options):
        inserts, plan = build.build(config, job, options)
        click.echo(_explained(inserts, job))
        with clickhouse.explained(config.clickhouse):
            check.check(plan, job.calls, _client_if_available(config))
        for notice in check.notices(plan, job):
            click.echo(notice, err=True)


def _explained(inserts: StatementSet, job: Job) -> str:
    """The plan of all inserts; raise JobError if Flink can compile it and could not run it."""
    try:
        return str(inserts.explain()).rpartition("== Optimized Execution Plan ==\n")[2]
    except JAVA_ERRORS as error:
        raise JobError(
            f"job {job.name}: Flink cannot run its SQL: {java_errors.cause(error)}; correct the "
            "file that this is about."
        ) from error


def _client_if_available(config: Settings) -> Client | None:
    """A client of ClickHouse; None, with a message, if it does not answer."""
    try:
        return clickhouse.connect(config.clickhouse)
    except UnavailableError as error:
        click.echo(f"{error} Without it the inserts' tables are not checked.", err=True)
        return None
