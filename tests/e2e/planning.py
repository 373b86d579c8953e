"""Plans the stock job with other inserts than its own, in one Java for all tests of a module."""

import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from jobs import job as jobs
from jobs.job import Job
from lib import conf, sql_variables, sqlfiles
from lib.sqlfiles import SqlFile

with warnings.catch_warnings():
    # PyFlink warns about itself when it is imported.
    warnings.simplefilter("ignore")
    from jobs.flink import gateway
    from jobs.plan import build
    from jobs.plan import check as checks
    from jobs.plan.compiled_plan import Plan


class Check(Protocol):
    """Plan an insert for each SELECT, and check the plan; return job and plan."""

    def __call__(
        self,
        *selects: str,
        files: tuple[SqlFile, ...] = (),
        client: Client | None = None,
        options: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[Job, Plan]: ...


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Flink's Java, which ends with the tests of this file."""
    with gateway.running(tmp_path_factory.mktemp("java"), "stocks", conf.flink_options()):
        yield


@pytest.fixture(scope="module")
def check(java: None, tmp_path_factory: pytest.TempPathFactory) -> Check:
    """Plan the stock job with other inserts in place of its own, and check the plan."""
    folder: Path = tmp_path_factory.mktemp("plan")
    config = msgspec.structs.replace(conf.load(environ={}), data_dir=folder)
    variables = config.variables()
    own = [
        sql_variables.substitute(file, variables)
        for file in sqlfiles.load(config.sql_dir / "flink" / "stocks")
        if file.name in ("raw_ticks", "checked_ticks", "valid_ticks", "inserted")
    ]
    second = [_renamed(file) for file in own if file.kind in ("source", "view")]

    def run(
        *selects: str,
        files: tuple[SqlFile, ...] = (),
        client: Client | None = None,
        options: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[Job, Plan]:
        made = [
            SqlFile(
                number,
                "insert",
                "ticks",
                f"{number}_insert_ticks.sql",
                f"INSERT INTO inserted {text}",
            )
            for number, text in enumerate(selects, 900)
        ]
        job = jobs.of(config, "stocks", [*own, *second, *files, *made])
        _, plan = build.build(config, job, {**conf.flink_options(), **options})
        checks.check(plan, job.calls, client)
        return job, plan

    return run


def _renamed(file: SqlFile) -> SqlFile:
    """The same source or view again, as `other_...`."""
    text = re.sub(r"\b(raw_ticks|checked_ticks|valid_ticks)\b", r"other_\1", file.text)
    return SqlFile(file.number, file.kind, f"other_{file.name}", file.place, text)
