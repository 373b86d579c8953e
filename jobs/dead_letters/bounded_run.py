"""Runs the SQL of a job once over the records of a replay, into the tables of the replay."""

from collections.abc import Mapping
from dataclasses import replace

from msgspec.structs import replace as with_settings

from jobs import job as jobs
from jobs.dead_letters.staging import Staging
from jobs.flink import gateway, java_errors
from jobs.flink.java_errors import JAVA_ERRORS
from jobs.job import Job
from jobs.kafka import sources
from jobs.plan import build, environment
from jobs.run import failures
from jobs.run.runner import workers_log_to
from jobs.targets.target import REASON, Target
from lib import ports
from lib.errors import JobError
from lib.files import show
from lib.quoting import quote_name
from lib.settings import Settings
from lib.sqlfiles import SqlFile

# No saved state: a replay that fails begins again, in the same tables, after at most so many tries.
_OPTIONS = {
    "execution.target": "local",
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "3",
    "restart-strategy.fixed-delay.delay": "1 s",
}


def run(config: Settings, job: Job, staging: Staging, topic: str) -> None:
    """Return when each record that the source can read is a row or a dead letter in the tables of
    the replay; raise JobError if Flink refuses the SQL or fails."""
    replayed = _replayed(config, job, staging, topic)
    options = environment.bounded(job.flink_options, _OPTIONS)
    own = with_settings(
        config,
        # The job may run meanwhile, and has the port of the settings.
        flink=with_settings(config.flink, rest_port=ports.free(1)[0]),
        dead_letters=with_settings(config.dead_letters, keep=True),
    )
    logs = config.data_dir / "log"
    with (
        workers_log_to(logs / f"job-{replayed.name}-python.log"),
        gateway.running(config.data_dir, replayed.name, options),
    ):
        inserts, _ = build.build(own, replayed, options)
        try:
            inserts.execute().wait()
        except JAVA_ERRORS as error:
            if refused := failures.refusal(str(error)):
                raise JobError(refused) from error
            raise JobError(
                f"job {job.name}: the replay failed: {java_errors.cause(error)}; see "
                f"{show(logs)}, then replay again."
            ) from error


def _replayed(config: Settings, job: Job, staging: Staging, topic: str) -> Job:
    """The job with the replay's topic and tables in place of its own, and only the inserts whose
    rows each identify a record of the topic."""
    texts = {call.text: call.target for call in job.calls}
    stand_ins = {
        text: _text(staging.targets[target])
        for text, target in texts.items()
        if target in staging.targets
    }
    files = [_file(file, stand_ins, staging, topic) for file in job.files]
    return jobs.of(config, f"{job.name}-replay", [file for file in files if file])


def _file(
    file: SqlFile, stand_ins: Mapping[str, str], staging: Staging, topic: str
) -> SqlFile | None:
    if file.kind != "insert":
        return sources.bounded(file, staging.call.topic, topic)
    for text, _ in file.targets:
        if text in stand_ins:
            old, new = (each.replace("'", "''") for each in (text, stand_ins[text]))
            return replace(file, text=file.text.replace(old, new))
    return None


def _text(target: Target) -> str:
    """A target as clickhouse_insert reads it."""
    columns = ", ".join(map(quote_name, target.columns))
    letters = f" ELSE {target.dead_letter_table} ({REASON})" if target.dead_letters else ""
    return f"{target.table} ({columns}){letters}"
