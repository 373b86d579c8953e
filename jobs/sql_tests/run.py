"""Runs one case: its records through the SQL files of the job, up to a view or to an endpoint."""

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.request import urlopen

from clickhouse_connect.driver.client import Client
from msgspec.structs import replace as with_settings
from pyflink.common import RowKind
from pyflink.table import TableResult

from jobs import job as jobs
from jobs.flink import java_errors
from jobs.flink.java_errors import JAVA_ERRORS
from jobs.job import Job
from jobs.kafka import sources
from jobs.plan import build, environment
from jobs.sql_tests import rows, topics
from jobs.sql_tests.cases import OPTIONS_FILE, Case
from jobs.sql_tests.rows import Row
from lib import clickhouse, conf
from lib.errors import JobError, SqlTestError, did_you_mean, one_line
from lib.files import show
from lib.quoting import quote_name
from lib.settings import Settings
from lib.sqlfiles import SqlFile

# What a bounded run needs of Flink: the cluster that all cases share, no state, and a failure at
# the first error. The JARs are on Java's class path: else each job would load their classes again,
# which takes longer than all the rest.
_OPTIONS = {
    "execution.target": "remote",
    "pipeline.jars": "",
    "parallelism.default": "1",
    "restart-strategy.type": "disable",
}
# The watermark follows each record at once, so that what is late is late in every run.
_AT_ONCE = {"scan.watermark.emit.strategy": "on-event"}

# The sum of a view's changes is the same in batches; but if nothing in it goes by event time, Flink
# makes the clock the watermark of its batches.
_ROW_BY_ROW = {"table.exec.mini-batch.enabled": "false"}


Started = TypeVar("Started")


@dataclass(frozen=True, slots=True)
class Runner:
    """What all cases share: a ClickHouse, the port of a cluster of Flink, the URL of an endpoint at
    an API with some variables of the environment, the folder of the logs, and how long a case may
    take, in seconds."""

    client: Client
    rest_port: int
    url: Callable[[str, Mapping[str, str]], str]
    logs: Path
    limit: float

    def run(self, case: Case) -> tuple[list[str], list[Row]]:
        """The names of the columns, and the rows; raise MillraceError if the SQL does not run."""
        config = self._config(case)
        job = jobs.load(config, case.options.job or _job_of(config, case))
        with topics.filled(config.kafka.bootstrap_servers, case, job) as names:
            files = [_bounded(file, names) for file in job.files]
            changed = jobs.of(config, job.name, files, job.options)
            if case.options.endpoint:
                return self._answer(config, changed, case)
            return self._of_view(config, changed, case)

    def _config(self, case: Case) -> Settings:
        config = conf.load(environ={**os.environ, **case.environ})
        flink = with_settings(config.flink, rest_port=self.rest_port)
        return with_settings(config, flink=flink)

    def _answer(self, config: Settings, job: Job, case: Case) -> tuple[list[str], list[Row]]:
        """The rows of the endpoint's answer, after all inserts of the job into empty tables."""
        with clickhouse.explained(config.clickhouse):
            _empty(self.client, config.clickhouse.database)
        inserts, _ = build.build(config, job, options(job.flink_options))
        result = self._started(inserts.execute, job)
        self._wait(result, result.wait, job)
        url = self.url(case.options.endpoint, case.environ)
        answer = _get(url, case, min(self.limit, 60))
        found: list[Row] = [
            {name: rows.plain(value) for name, value in row.items()} for row in answer
        ]
        return [*found[0]] if found else [], found

    def _of_view(self, config: Settings, job: Job, case: Case) -> tuple[list[str], list[Row]]:
        views = [file.name for file in job.files if file.kind == "view"]
        if case.subject not in views:
            raise SqlTestError(
                f"{show(case.folder)}: job {job.name} has no view {case.subject}; "
                f"{did_you_mean(case.subject, views)}"
            )
        flink = {**options(job.flink_options), **_ROW_BY_ROW}
        tables = self._started(lambda: environment.create(config, job.name, flink), job)
        for file in job.files:
            if file.kind in ("source", "table", "view", "function"):
                build.run_file(tables, job, file)
        view = f"SELECT * FROM `{case.subject}`"
        schema = self._started(lambda: tables.sql_query(view).get_schema(), job)
        names = schema.get_field_names()
        kinds = map(str, schema.get_field_data_types())
        columns = [_column(name, kind) for name, kind in zip(names, kinds, strict=True)]
        select = f"SELECT {', '.join(columns)} FROM `{case.subject}`"
        query = self._started(lambda: tables.sql_query(select), job)
        # The changes of an updating view, whose sum is what it holds at the end.
        held: Counter[str] = Counter()

        def collect() -> None:
            with result.collect() as changes:
                for change in changes:
                    row = {name: rows.plain(change[at]) for at, name in enumerate(names)}
                    kind = change.get_row_kind()
                    adds = kind in (RowKind.INSERT, RowKind.UPDATE_AFTER)
                    held[json.dumps(row)] += 1 if adds else -1

        result = self._started(query.execute, job)
        self._wait(result, collect, job)
        return names, [json.loads(text) for text in held.elements()]

    def _started(self, start: Callable[[], Started], job: Job) -> Started:
        try:
            return start()
        except JAVA_ERRORS as error:
            raise self._failed(job, error) from error

    def _wait(self, result: TableResult, action: Callable[[], None], job: Job) -> None:
        """Do what ends with the job; raise JobError if that fails, or lasts longer than a case
        may."""
        ended = threading.Event()

        def end() -> None:
            ended.set()
            result.get_job_client().cancel()

        timer = threading.Timer(self.limit, end)
        timer.start()
        try:
            action()
        except JAVA_ERRORS as error:
            if not ended.is_set():
                raise self._failed(job, error) from error
        finally:
            timer.cancel()
        if ended.is_set():
            raise JobError(
                f"job {job.name}: did not end within {self.limit:g} s; give each source that is "
                "not Kafka an end ('number-of-rows' of datagen), or raise --limit."
            )

    def _failed(self, job: Job, error: Exception) -> JobError:
        return JobError(
            f"job {job.name}: failed: {java_errors.cause(error)}; see {show(self.logs)}."
        )


def _get(url: str, case: Case, timeout: float) -> list[dict[str, Any]]:
    """The rows of an answer; raise SqlTestError if it has none."""
    place = f"{show(case.folder / OPTIONS_FILE)}: {case.options.endpoint}"
    try:
        with urlopen(url, timeout=timeout) as response:
            kind = response.headers.get_content_type()
            if kind != "application/json":
                # A stream has no end.
                raise SqlTestError(f"{place}: answers {kind}; name an endpoint that answers JSON.")
            answer = json.load(response)
    except HTTPError as error:
        # A problem has a detail; what is not an endpoint answers with a page.
        with suppress(ValueError):
            detail = json.loads(error.read()).get("detail", "")
            raise SqlTestError(f"{place}: {error.code}: {detail}") from None
        raise SqlTestError(f"{place}: {error.code}; name an endpoint of sql/api/.") from None
    except (OSError, HTTPException, ValueError) as error:
        raise SqlTestError(f"{place}: no answer in JSON: {one_line(error)}; correct it.") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
        raise SqlTestError(f"{place}: an answer without rows; name an endpoint of sql/api/.")
    found: list[dict[str, Any]] = answer["data"]
    return found


def _job_of(config: Settings, case: Case) -> str:
    """The job that has the view of a case, or the only job there is; raise SqlTestError if that is
    not one."""
    folders = sorted(path for path in (config.sql_dir / "flink").iterdir() if path.is_dir())
    if case.options.endpoint:
        found = [folder.name for folder in folders]
    else:
        found = [f.name for f in folders if any(f.glob(f"[0-9]*_view_{case.subject}.sql"))]
    if len(found) == 1:
        return found[0]
    place = show(case.folder)
    if found:
        raise SqlTestError(
            f"{place}: jobs {', '.join(found)} may be meant; write `job: {found[0]}` into "
            f"{OPTIONS_FILE}."
        )
    views = [f.stem.split("_view_")[1] for d in folders for f in d.glob("*_view_*.sql")]
    raise SqlTestError(
        f"{place}: no job has a view {case.subject}; {did_you_mean(case.subject, views)}"
    )


def _bounded(file: SqlFile, names: Mapping[str, str]) -> SqlFile:
    """A file of the job; a source reads the topic of the case, and ends with it."""
    for topic, name in names.items():
        file = sources.bounded(file, topic, name, _AT_ONCE)
    return file


def options(flink: Mapping[str, str]) -> dict[str, str]:
    """Flink's options for a case, or for the cluster, from those of a job."""
    return environment.bounded(flink, _OPTIONS)


def _column(name: str, kind: str) -> str:
    """A column as SQL; a time as text, for PyFlink reads none in the local zone."""
    is_time = kind.startswith(("LOCALZONEDTIMESTAMP", "TIMESTAMP", "DATE", "TIME"))
    return f"CAST(`{name}` AS STRING) AS `{name}`" if is_time else f"`{name}`"


def _empty(client: Client, database: str) -> None:
    """Empty all tables but the list of migrations."""
    found = client.query(
        "SELECT database, name FROM system.tables WHERE engine LIKE '%MergeTree'"
        " AND database NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema')"
        " AND NOT (database = {database:String} AND name = 'schema_migrations')",
        parameters={"database": database},
    ).result_rows
    for names in found:
        client.command(f"TRUNCATE TABLE {'.'.join(map(quote_name, names))}")
