"""Runs a job whose sources end: for rows of the past, while the job itself may run."""

from pathlib import Path

from msgspec.structs import replace as with_settings

from jobs.flink import gateway, java_errors
from jobs.flink.java_errors import JAVA_ERRORS
from jobs.job import Job
from jobs.plan import build, environment
from jobs.plan.compiled_plan import Plan
from jobs.run import failures
from jobs.run.runner import workers_log_to
from lib import ports
from lib.errors import JobError, RestartError
from lib.files import show
from lib.settings import Settings

# No saved state: a run that fails begins again, in the same tables, after at most so many tries.
_OPTIONS = {
    "execution.target": "local",
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "3",
    "restart-strategy.fixed-delay.delay": "1 s",
}


def run(config: Settings, job: Job) -> Plan:
    """Return the plan of the inserts when all of their rows are stored; raise JobError if Flink
    refuses the SQL or fails."""
    options = environment.bounded(job.flink_options, _OPTIONS)
    # The job that runs has the port of the settings.
    flink = with_settings(config.flink, rest_port=ports.free(1)[0])
    logs = config.data_dir / "log"
    try:
        return _run(with_settings(config, flink=flink), job, options, logs)
    except RestartError as error:
        # It has no checkpoint from which it could go on.
        raise JobError(
            f"job {job.name}: Flink's Java ended; see {show(logs)}, then try again."
        ) from error


def _run(config: Settings, job: Job, options: dict[str, str], logs: Path) -> Plan:
    with (
        workers_log_to(logs / f"job-{job.name}-python.log"),
        gateway.running(config.data_dir, job.name, options),
    ):
        inserts, plan = build.build(config, job, options)
        try:
            inserts.execute().wait()
        except JAVA_ERRORS as error:
            if refused := failures.refusal(str(error)):
                raise JobError(refused) from error
            raise JobError(
                f"job {job.name}: failed: {java_errors.cause(error)}; see {show(logs)}, then try "
                "again."
            ) from error
    return plan
