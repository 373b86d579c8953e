"""From SQL files to one Flink job: a table environment and one statement set."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyflink.common import Configuration
from pyflink.table import EnvironmentSettings, StatementSet, TableEnvironment

from jobs.flink import cluster, gateway, java_errors
from jobs.flink.java_errors import JAVA_ERRORS
from jobs.flink.rest import Rest
from jobs.kafka import sources
from jobs.plan import compiled_plan
from jobs.sink.clickhouse_insert import clickhouse_insert
from jobs.targets import target
from jobs.targets.target import FUNCTION
from lib import jars, java
from lib.errors import JobError
from lib.settings import Settings
from lib.sqlfiles import SqlFile, condensed, show

# In a condensed statement. The planner sees to it that a call in this place runs once a row.
_CALLED = re.compile(r"\bclickhouse_insert\b", re.IGNORECASE)
_CALLED_FIRST = re.compile(
    r"INSERT INTO \S+?(?: ?\([^)]*\))? SELECT clickhouse_insert ?\( ?'", re.IGNORECASE
)


def create(settings: Settings, job: str, given: Mapping[str, str]) -> TableEnvironment:
    """Return a streaming table environment with these options, in the Java that runs."""
    configuration = Configuration()
    for key, value in options(settings, job, given).items():
        configuration.set_string(key, value)
    environment = EnvironmentSettings.new_instance().in_streaming_mode()
    return TableEnvironment.create(environment.with_configuration(configuration).build())


def short_lived(given: Mapping[str, str]) -> dict[str, str]:
    """The same options for a JVM that only plans."""
    return {
        **given,
        gateway.JVM_OPTIONS: f"{given.get(gateway.JVM_OPTIONS, '')} {java.SHORT_LIVED}".strip(),
    }


def log_file(settings: Settings, job: str) -> Path:
    """What Flink's Java logs since its start."""
    logs = settings.data_dir / "log"
    found = logs.glob(f"flink-{job}-python-*.log")
    return max(found, key=lambda log: log.stat().st_mtime_ns, default=logs / f"flink-{job}.log")


def options(settings: Settings, job: str, given: Mapping[str, str]) -> dict[str, str]:
    """Flink's options: what follows from where things are, unless it is given, and the address,
    which is ours to set: the runner will ask there."""
    return {
        "pipeline.name": job,
        "pipeline.jars": ";".join(jar.as_uri() for jar in jars.flink_jars()),
        "python.executable": gateway.WORKER.name,
        "python.client.executable": sys.executable,
        **given,
        "rest.address": settings.flink.rest_host,
        "rest.bind-address": settings.flink.rest_host,
        "rest.port": str(settings.flink.rest_port),
    }


def declare(
    tables: TableEnvironment, files: Sequence[SqlFile], settings: Settings, job: str
) -> StatementSet:
    """Run every file; inserts are gathered into the one statement set that is returned.

    Raise JobError naming the file that Flink refuses."""
    check_writers(files)
    tables.create_temporary_system_function(FUNCTION, clickhouse_insert(settings.clickhouse, job))
    inserts = tables.create_statement_set()
    for file in files:
        try:
            if file.kind == "insert":
                inserts.add_insert_sql(file.text)
            else:
                tables.execute_sql(sources.statement(file))
        except JAVA_ERRORS as error:
            raise _refusal(_maker(files, error) or file.place, error) from error
    return inserts


def check_writers(files: Sequence[SqlFile]) -> None:
    """Raise JobError unless each insert calls the sink at most once, first in its select list and
    under a name of its own: a second call runs apart from the first, one in a WHERE runs before
    other conditions, one below may be left out, and two writers with one mark lose rows."""
    if not any(file.kind == "insert" for file in files):
        raise JobError(
            f"{files[0].place}: the job has no insert; add 900_insert_<name>.sql beside it."
        )
    for file in files:
        if _CALLED.search(condensed(file.text)):
            _check_call(file)
    places: dict[str, str] = {}
    for call in target.calls(files):
        other = places.setdefault(call.target.name, call.place)
        if other != call.place:
            raise JobError(
                f"{call.place}: writes as {call.target.name}, as {other} does; "
                "write 'table (columns) AS another_name'."
            )


def _check_call(file: SqlFile) -> None:
    """Raise JobError for a file that names the sink where it cannot be called."""
    text = condensed(file.text)
    if file.kind == "function" or file.name == FUNCTION:
        raise JobError(f"{file.place}: {FUNCTION} is there in every job; delete the file.")
    if file.kind != "insert":
        raise JobError(
            f"{file.place}: {FUNCTION} is called in a {file.kind}, where Flink may call it often "
            "or never; call it in an insert file, with INSERT INTO ... SELECT."
        )
    if len(_CALLED.findall(text)) > 1:
        raise JobError(
            f"{file.place}: {FUNCTION} is called more than once; "
            "give each target an insert file of its own, with INSERT INTO ... SELECT."
        )
    if not _CALLED_FIRST.match(text):
        raise JobError(
            f"{file.place}: {FUNCTION} with its target as a text does not come first "
            "after SELECT; write INSERT INTO <sink> SELECT clickhouse_insert('table "
            "(columns)', ...) FROM <view>, and filter and join in the view."
        )


def compile_plan(
    tables: TableEnvironment, inserts: StatementSet, files: Sequence[SqlFile]
) -> compiled_plan.Plan:
    """What Flink makes of all inserts together; raise JobError naming the file it refuses."""
    try:
        return compiled_plan.read(inserts.compile_plan().as_json_string())
    except JAVA_ERRORS as error:
        raise _refused(tables, files, error) from error


def _refused(tables: TableEnvironment, files: Sequence[SqlFile], error: Exception) -> JobError:
    """Flink's refusal of all inserts, as one of the file that it is about."""
    if place := _maker(files, error):
        return _refusal(place, error)
    for file in files:
        if file.kind == "insert":
            try:
                alone = tables.create_statement_set()
                alone.add_insert_sql(file.text)
                alone.compile_plan()
            except JAVA_ERRORS as alone_too:
                return _refusal(file.place, alone_too)
    return _refusal(", ".join(file.place for file in files if file.kind == "insert"), error)


def _maker(files: Sequence[SqlFile], error: Exception) -> str:
    """The file of the table whose connector or format Flink cannot make; empty if none is."""
    made = (file for file in files if file.kind != "insert")
    return next((f.place for f in made if java_errors.is_about(error, f.name, f.text)), "")


def _refusal(place: str, error: Exception) -> JobError:
    return JobError(f"{place}: Flink refuses it: {java_errors.cause(error)}; correct the file.")


def start(inserts: StatementSet, settings: Settings, resume: Path | None) -> tuple[Rest, Any]:
    """Run all inserts as one Flink job and return its handle and its cluster; raise JobError if it
    can't start."""
    logs = show(settings.data_dir / "log")
    try:
        # Not the compiled plan's execute(): its workers would be processes that outlive a killed
        # runner.
        client = inserts.execute().get_job_client()
    except JAVA_ERRORS as error:
        hint = "begin without it: `make run-job ARGS=--fresh`" if resume else f"see {logs}"
        raise JobError(f"the job does not start: {java_errors.cause(error)}; {hint}.") from error
    return Rest(settings.flink.address, str(client.get_job_id()), logs), cluster.mini_cluster(
        client
    )
