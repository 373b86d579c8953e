"""From a job's SQL files to one Flink job: one statement set, its compiled plan, and its start."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyflink.table import StatementSet, TableEnvironment

from jobs.flink import cluster, idle_partitions, java_errors
from jobs.flink.java_errors import JAVA_ERRORS
from jobs.flink.rest import Rest
from jobs.job import Job
from jobs.kafka import sources
from jobs.plan import compiled_plan, environment
from jobs.plan.compiled_plan import Plan
from jobs.sink.clickhouse_insert import SinkSettings, clickhouse_insert
from jobs.targets.target import FUNCTION
from lib import conf
from lib.errors import JobError
from lib.files import show
from lib.settings import Settings
from lib.sqlfiles import SqlFile


def build(config: Settings, job: Job, options: Mapping[str, str]) -> tuple[StatementSet, Plan]:
    """Run every file but the inserts, which are gathered into one statement set and compiled
    together; raise JobError naming the file that Flink refuses, or at which it failed."""
    try:
        tables = environment.create(config, job.name, options)
    except JAVA_ERRORS as error:
        raise _of_option(job, error) or JobError(
            f"{_options_files(job)}: Flink refuses the options: {java_errors.cause(error)}; "
            "correct them."
        ) from error
    topics = {call.text: call.topic for call in job.calls if call.topic}
    beside = frozenset(call.text for call in job.calls if call.is_beside)
    settings = SinkSettings(config.clickhouse, job.name, topics, beside, config.dead_letters.keep)
    tables.create_temporary_system_function(FUNCTION, clickhouse_insert(settings))
    inserts = tables.create_statement_set()
    for file in job.files:
        run_file(tables, job, file, inserts)
    try:
        return inserts, compiled_plan.read(inserts.compile_plan().as_json_string())
    except JAVA_ERRORS as error:
        raise _of_option(job, error) or _refused(tables, job, error) from error


def run_file(
    tables: TableEnvironment, job: Job, file: SqlFile, inserts: StatementSet | None = None
) -> None:
    """Run a file's statement, or add it to the inserts; raise JobError if Flink refuses it."""
    try:
        if inserts and file.kind == "insert":
            inserts.add_insert_sql(file.text)
        else:
            tables.execute_sql(sources.statement(file))
    except JAVA_ERRORS as error:
        place = _creator(job, error) or file.place
        raise _of_option(job, error) or _refusal(tables, place, error) from error


def _options_files(job: Job) -> str:
    """The files that have Flink's options for a job."""
    return " or ".join(map(show, [conf.FLINK_FILE, *([job.options_file] if job.options else [])]))


def _of_option(job: Job, error: Exception) -> JobError | None:
    """Flink's refusal as one of the option whose value it cannot read; None for another reason, and
    for an option of a connector, which is in a SQL file."""
    option = java_errors.option(error)
    if option not in job.flink_options:
        return None
    return JobError(f"{job.place_of(option)}: {java_errors.cause(error)}; correct it.")


def _refused(tables: TableEnvironment, job: Job, error: Exception) -> JobError:
    """Flink's refusal of all inserts together, as one of the file that it is about."""
    if place := _creator(job, error):
        return _refusal(tables, place, error)
    inserts = [file for file in job.files if file.kind == "insert"]
    for file in inserts:
        try:
            alone = tables.create_statement_set()
            alone.add_insert_sql(file.text)
            alone.compile_plan()
        except JAVA_ERRORS as error_alone:
            return _refusal(tables, file.place, error_alone)
    return _refusal(tables, ", ".join(file.place for file in inserts), error)


def _creator(job: Job, error: Exception) -> str:
    """The file of the table whose connector or format Flink cannot make; empty if none is."""
    made = (file for file in job.files if file.kind != "insert")
    return next((f.place for f in made if java_errors.is_about(error, f.name, f.text)), "")


def _refusal(tables: TableEnvironment, place: str, error: Exception) -> JobError:
    fact = java_errors.cause(error)
    if name := java_errors.internal(error):
        return JobError(
            f"{place}: Flink's planner failed at it: {name}: {fact}; the file may be right: "
            "run the command again, and if it fails each time, write the statement in another way."
        )
    word = java_errors.unexpected_word(error)
    if word and _is_reserved(tables, word):
        return JobError(
            f"{place}: Flink refuses it: {fact}; {word} is a reserved word: as a name put it in "
            f"backquotes, `{word}`."
        )
    return JobError(f"{place}: Flink refuses it: {fact}; correct the file.")


def _is_reserved(tables: TableEnvironment, word: str) -> bool:
    """Whether a word is a name in backquotes only; Flink's own list is in its planner's loader."""
    try:
        tables.sql_query(f"SELECT 1 AS {word}")
    except JAVA_ERRORS:
        return True
    return False


def start(inserts: StatementSet, config: Settings, job: Job) -> tuple[Rest, Any]:
    """Run all inserts as one Flink job and return its handle and its cluster; raise JobError if it
    cannot start."""
    logs = show(config.data_dir / "log")
    try:
        # Not the compiled plan's execute(): its workers would be processes that outlive a killed
        # runner.
        client = idle_partitions.execute(inserts, Path(tempfile.gettempdir()))
    except JAVA_ERRORS as error:
        hint = f"correct it in {_options_files(job)} or the job's SQL, or see {logs}"
        if java_errors.is_about_saved_state(error):
            hint = "begin without the saved state: `make run-job ARGS=--fresh`"
        raise _of_option(job, error) or JobError(
            f"the job does not start: {java_errors.cause(error)}; {hint}."
        ) from error
    rest = Rest(config.flink.address, str(client.get_job_id()), logs)
    return rest, cluster.mini_cluster(client)
