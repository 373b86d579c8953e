"""`python -m jobs backtest`: what a view would have made of the past."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from clickhouse_connect.driver.client import Client
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Shown

from jobs import job as jobs
from jobs.backtest import PURPOSE, comparison, history
from jobs.backtest.comparison import Row, Selection
from jobs.job import Job
from jobs.kafka import sources, temporary_topics
from jobs.plan import compiled_plan, keys
from jobs.plan.compiled_plan import Plan
from jobs.run import bounded
from jobs.targets import calls, table
from jobs.targets.calls import Call
from jobs.targets.target import FUNCTION, Target
from lib import clickhouse
from lib.errors import JobError, did_you_mean
from lib.quoting import quote_name
from lib.settings import Settings
from lib.sqlfiles import SqlFile


def run(
    config: Settings, job: Job, view: str, start: datetime, end: datetime, lead: timedelta,
    *, as_json: bool,
) -> bool:  # fmt: skip
    """Print the rows that a view makes of the records since `lead` before `start`, of the time from
    `start` to `end`, beside those that its table has; return whether they are the same."""
    if start >= end:
        raise JobError(f"--from {start:%FT%T} is not before --to {end:%FT%T}; give a time before.")
    file, call = _insert_of(job, view)
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        # A file or a pipe has no width: a line is a row.
        console.width = 10_000
    client = clickhouse.connect(config.clickhouse)
    with clickhouse.explained(config.clickhouse), jobs.backtest_held(config, job.name):
        filled = table.read(client, call.target)
        time = _time(call, filled)
        since = int((start - lead).timestamp() * 1000)
        _drop_abandoned(config, client, job, call)
        with _table(client, job, call) as made, console.status("reading the past"):
            plan = _run(config, client, job, file, made, view, since)
            selection = Selection(time, start, end, _constants(plan, made))
            rows = comparison.rows(client, call.target, made, selection)
    _print(console, rows, time, as_json=as_json)
    return all(row.is_raised and row.is_stored for row in rows)


def _insert_of(job: Job, view: str) -> tuple[SqlFile, Call]:
    """The one insert that reads a view; raise JobError if there is none, or several."""
    views = [file.name for file in job.files if file.kind == "view"]
    if view not in views:
        raise JobError(f"job {job.name}: no view {view!r}; {did_you_mean(view, views)}")
    by_text = {call.text: call for call in job.calls}
    found = [
        (file, by_text[text])
        for file in job.files
        if file.kind == "insert" and view in [f.name for f in calls.read_by(file, job.files)]
        for text, _ in file.targets
    ]
    if len(found) != 1:
        names = ", ".join(file.place for file, _ in found)
        remedy = f"name one of {', '.join(_of_one_insert(job))}"
        if not found:
            remedy = "read it in an insert, or in a view that one reads, as alerts reads its rules"
        raise JobError(f"job {job.name}: view {view} is read by {names or 'no insert'}; {remedy}.")
    return found[0]


def _of_one_insert(job: Job) -> list[str]:
    """The views that one insert reads."""
    inserts = [file for file in job.files if file.kind == "insert" and file.targets]
    names = [f.name for each in inserts for f in calls.read_by(each, job.files) if f.kind == "view"]
    return sorted(name for name in names if names.count(name) == 1)


def _time(call: Call, filled: table.Table) -> str:
    """The column by which rows are selected: the last time in ORDER BY."""
    if not filled.types:
        raise JobError(f"{call.target.table}: does not exist; run `make migrate`.")
    times = [name for name in filled.engine.key if "DateTime" in filled.types.get(name, "")]
    if not times:
        raise JobError(
            f"{call.target.table}: ORDER BY has no column of type DateTime or DateTime64, by which "
            "the rows of a time are found; add one."
        )
    return times[-1]


@contextmanager
def _table(client: Client, job: Job, call: Call) -> Iterator[Target]:
    """A table for the rows, empty, which is dropped afterwards."""
    relation = jobs.run_name(PURPOSE, job.name)
    made = replace(call.target, relation=relation, name=relation, dead_letters=None)
    try:
        client.command(f"CREATE TABLE {made.table} AS {call.target.table}")
        yield made
    finally:
        client.command(f"DROP TABLE IF EXISTS {made.table} SYNC")


def _drop_abandoned(config: Settings, client: Client, job: Job, call: Call) -> None:
    """Drop what a back-test of this job left that was killed."""
    pattern = jobs.run_pattern(PURPOSE, job.name)
    temporary_topics.drop_abandoned(config.kafka.bootstrap_servers, pattern)
    rows = client.query(
        "SELECT name FROM system.tables WHERE database = {d:String} AND match(name, {p:String})",
        parameters={"d": call.target.database, "p": f"^{pattern}$"},
    ).result_rows
    for (name,) in rows:
        client.command(f"DROP TABLE IF EXISTS {call.target.beside(name)} SYNC")


def _run(
    config: Settings, client: Client, job: Job, file: SqlFile, made: Target, view: str, since: int
) -> Plan:
    """Run the view into the table, and return the plan."""
    values = ", ".join(map(quote_name, made.columns))
    target = made.text.replace("'", "''")
    insert = f"INSERT INTO {jobs.filled(file)} SELECT {FUNCTION}('{target}', {values}) FROM {view}"
    own = replace(file, text=insert)
    with ExitStack() as held:
        read = {each.name for each in calls.read_by(own, job.files) if sources.is_source(each)}
        files = [
            history.bounded(held, config, client, job, each, since) if each.name in read else each
            for each in job.files
            if each.kind != "insert"
        ]
        tested = jobs.of(config, f"{job.name}-backtest", [*files, own], job.options)
        return bounded.run(config, replace(tested, options_file=job.options_file))


def _constants(plan: Plan, made: Target) -> dict[str, frozenset[str]]:
    """The columns of the view's rows that have only some values, as the name of a rule."""
    called = compiled_plan.find(plan, made.text)
    if called is None:
        return {}
    rows = keys.project(called.arguments, keys.before(plan, called.number))
    return {made.columns[number]: values for number, values in rows.constants.items()}


def _print(console: Console, rows: list[Row], time: str, *, as_json: bool) -> None:
    counts = {sign: sum(row.sign == sign for row in rows) for sign in "=+-"}
    if as_json:
        shown = [
            {**row.values, "is_raised": row.is_raised, "is_stored": row.is_stored} for row in rows
        ]
        console.print(json.dumps({"rows": shown}), markup=False)
        return
    if rows:
        grid = Shown(box=None, pad_edge=False)
        for name in ("", *rows[0].values):
            grid.add_column(name, overflow="fold")
        for row in rows:
            grid.add_row(row.sign, *(escape(str(value)) for value in row.values.values()))
        console.print(grid)
    console.print(
        f"{counts['='] + counts['+']:,} rows by {time}: {counts['=']:,} are stored so (=), "
        f"{counts['+']:,} are not (+); {counts['-']:,} are stored that it does not make (-)"
    )
