"""What runs, against what is in the files of sql/flink/."""

from collections.abc import Iterator
from pathlib import Path

from clickhouse_connect.driver.client import Client

from jobs import job as jobs
from jobs.doctor.findings import Finding, of_error
from lib import clickhouse
from lib.errors import MillraceError
from lib.settings import Settings


def all_jobs(config: Settings) -> Iterator[Finding]:
    """Each job of the files, and each that should run and has none."""
    client = clickhouse.connect(config.clickhouse)
    with clickhouse.explained(config.clickhouse):
        states = _states(client, config.clickhouse.database)
        names = sorted(folder.name for folder in (config.sql_dir / "flink").glob("*/"))
        for name in names:
            yield from _job(client, config, name, states.get(name))
        for name in sorted(states.keys() - {*names}):
            if states[name][0] not in ("stopped", ""):
                remedy = f"restore its files, or stop it with `make stop-job JOB={name}`"
                yield Finding("jobs", f"{name} has no folder in {config.sql_dir}/flink", remedy)


def _states(client: Client, database: str) -> dict[str, tuple[str, str, str]]:
    """The status, the message and the run of each job that should run, or did lately."""
    if not client.command(f"EXISTS TABLE {database}.jobs"):
        return {}
    rows = client.query(
        f"SELECT job, status, trim(concat(message, ' ', notice)), toString(run_id)"
        f" FROM {database}.jobs"
    ).result_rows
    return {job: (status, text, run) for job, status, text, run in rows}


def _job(
    client: Client, config: Settings, name: str, state: tuple[str, str, str] | None
) -> Iterator[Finding]:
    try:
        job = jobs.load(config, name)
    except MillraceError as error:
        yield from of_error("jobs", error)
        return
    status, text, run = state or ("stopped", "", "")
    if status == "down":
        reason = text or "its runner does not report"
        yield Finding("jobs", f"{name} is down: {reason}", f"run `make run-job JOB={name}`")
    elif status == "stopped":
        yield Finding("jobs", f"{name} does not run")
    elif _files(client, config.clickhouse.database, run) not in (
        {},
        {Path(file.place).name: file.text for file in job.files},
    ):
        again = f"`make stop-job JOB={name}`, then `make run-job JOB={name}`"
        yield Finding("jobs", f"{name} runs other SQL than its files have", again)
    elif text:
        yield Finding("jobs", f"{name} is {status}: {text}", "see docs/operating.md")
    else:
        yield Finding("jobs", f"{name} is {status}, with the SQL of its files")


def _files(client: Client, database: str, run: str) -> dict[str, str]:
    """The SQL of a run by file name; empty if it is not known yet."""
    rows = client.query(
        f"SELECT files FROM {database}.job_runs FINAL WHERE run_id = {{run:UUID}}",
        parameters={"run": run},
    ).result_rows
    return dict(rows[0][0]) if rows else {}
