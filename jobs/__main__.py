"""`python -m jobs run|stop|plan JOB`: owns signals, the terminal and the order of things."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from clickhouse_connect.driver.client import Client
from rich.console import Console

from lib import clickhouse, kafka, locks, migrations, ports, settings, sqlfiles, topics
from lib.errors import (
    JobError,
    MillraceError,
    RestartError,
    ServiceError,
    UnavailableError,
    exit_on_error,
)
from lib.settings import Settings
from lib.signals import Signals
from lib.sqlfiles import SqlFile

if TYPE_CHECKING:
    from jobs.flink.gateway import Java
    from jobs.flink.rest import Rest
    from jobs.run.report import Record
    from jobs.run.watch import Watch

FROM_SOURCES = (
    "starting from the sources, for its SQL has no saved state; what is stored is left out"
)

# How long `run` waits for Kafka and ClickHouse, and `stop` for the job, in seconds.
PATIENCE = 300.0


@click.group()
def main() -> None:
    """Run streaming jobs: each is a folder of SQL files under sql/flink/."""


@main.command()
@click.argument("job")
@click.option(
    "--fresh",
    is_flag=True,
    help="Begin at the sources, not at the saved state; what is stored stays stored once.",
)
@exit_on_error()
def run(job: str, fresh: bool) -> None:
    """Run JOB until Ctrl-C, which stops it with a savepoint.

    Exit status: 0 when it was stopped, 2 for an error that a user must fix, 75 when it goes on from
    its last checkpoint as soon as it is run again."""
    # Before the job runs there is nothing to save.
    asked = Signals()
    asked.interrupt(SystemExit)
    config = settings.load()
    files = load(config, job)
    with locks.held(
        lock_file(config, job), f"job {job}", f"stop it with `make stop-job JOB={job}`."
    ):
        try:
            _run(config, job, files, fresh, asked)
        except UnavailableError as error:
            # A supervisor may wait longer than PATIENCE.
            raise RestartError(str(error)) from error


@main.command()
@click.argument("job")
@exit_on_error()
def stop(job: str) -> None:
    """Stop JOB with a savepoint, wherever it runs on this machine; one that has ended already is
    retired: /health expects it no longer."""
    config = settings.load()
    file = lock_file(config, job)
    pid = locks.holder(file)
    if pid is None:
        _retire(config, job)
        return
    os.kill(pid, signal.SIGTERM)
    click.echo(f"stopping job {job} (process {pid}) with a savepoint")
    deadline = time.monotonic() + PATIENCE
    while locks.holder(file) == pid:
        if time.monotonic() > deadline:
            raise JobError(
                f"job {job}: still runs after {PATIENCE:.0f} s; "
                f"see {sqlfiles.show(config.data_dir / 'log')}, or end process {pid}."
            )
        time.sleep(0.1)
    click.echo(f"job {job} stopped")


def _retire(config: Settings, job: str) -> None:
    """Note that a job that has ended need not run again."""
    from jobs.run import expected

    client = clickhouse.connect(config.clickhouse)
    with clickhouse.explained(config.clickhouse):
        is_retired = expected.retire(client, config.clickhouse.database, job)
        is_known = expected.is_known(client, config.clickhouse.database, job)
    folder = config.sql_dir / "flink" / job
    if not is_known and not folder.is_dir():
        raise JobError(f"{sqlfiles.show(folder)}: no such folder, and no such job runs; fix JOB.")
    click.echo(f"job {job} does not run")
    if is_retired:
        click.echo(f"job {job} is retired: /health no longer expects it")


@main.command()
@click.argument("job")
@exit_on_error()
def plan(job: str) -> None:
    """Show how Flink would run JOB, and whether the sink can rely on it and the tables take its
    rows, without running it."""
    config = settings.load()
    files = load(config, job)
    # Not at the top: PyFlink takes a second to import, which a wrong file need not wait for.
    from jobs.flink import gateway
    from jobs.plan import build, check
    from jobs.targets import target

    given = build.short_lived(settings.flink_options())
    with gateway.running(config.data_dir, f"{job}-plan", given):
        tables = build.create(config, job, given)
        inserts = build.declare(tables, files, config, job)
        compiled = build.compile_plan(tables, inserts, files)
        click.echo(inserts.explain().rpartition("== Optimized Execution Plan ==\n")[2])
        with clickhouse.explained(config.clickhouse):
            check.check(compiled, target.calls(files), _client_if_there(config))


def _client_if_there(config: Settings) -> Client | None:
    """A client of ClickHouse; None, with a message, if that does not answer."""
    try:
        return clickhouse.connect(config.clickhouse)
    except UnavailableError as error:
        click.echo(f"{error} Without it the inserts' tables are not checked.", err=True)
        return None


def load(config: Settings, job: str) -> list[SqlFile]:
    """The job's files, settings filled in; raise SqlFileError for the first that is wrong."""
    return sqlfiles.load_filled(config.sql_dir / "flink" / job, config.variables())


def lock_file(config: Settings, job: str) -> Path:
    return config.data_dir / "run" / f"job-{job}.pid"


def _run(config: Settings, job: str, files: list[SqlFile], fresh: bool, asked: Signals) -> None:
    from jobs.flink import gateway, state
    from jobs.kafka import sources, unreadable
    from jobs.plan import build, check
    from jobs.run import report
    from jobs.run.monitor import UnreadableError
    from jobs.targets import target

    console = Console(highlight=False, soft_wrap=True)
    ports.check_free(config.flink.rest_host, config.flink.rest_port, "flink.rest_port")
    client = _wait_for_services(config, files, console)
    folder = state.folder(config.data_dir, job, files)
    same_topics, ids = _check_topics(config, job, files, client, folder.parent)
    saved = state.each_newest(folder.parent)
    resume = None if fresh else state.newest(folder)
    if not resume:
        state.begin(folder)
    begin = f"resuming from {sqlfiles.show(resume)}" if resume else FROM_SOURCES
    console.print(f"job {job}: {begin}")
    given = {**settings.flink_options(), **state.options(folder, resume)}
    said = config.data_dir / "log" / f"job-{job}-python.log"
    with (
        workers_log_to(said),
        report.of(config, job, files, resume) as run,
        gateway.running(config.data_dir, job, given) as java,
    ):
        tables = build.create(config, job, given)
        inserts = build.declare(tables, files, config, job)
        compiled = build.compile_plan(tables, inserts, files)
        with clickhouse.explained(config.clickhouse):
            check.check(compiled, target.calls(files), client)
        watch = _watch(run, folder.parent, ids, saved, build.log_file(config, job))
        rest, mini_cluster = build.start(inserts, config, resume)
        console.print(f"job {job}: Flink's web UI is at http://{rest.address}")
        try:
            _follow(java, rest, mini_cluster, run, folder, console, same_topics, asked, watch)
        except UnreadableError as error:
            servers = config.kafka.bootstrap_servers
            committed = not sources.reads_uncommitted(files)
            place = unreadable.place(servers, ids, committed, watch.positions, error.record)
            raise JobError(f"{place}: {error}") from error


def _watch(
    run: "Record", states: Path, ids: Mapping[str, str], saved: Iterable[Path], log: Path
) -> "Watch":
    """What sees to it that no record is deleted from Kafka without a word before this run, or one
    before it, has read it."""
    from jobs.kafka import saved_offsets
    from jobs.kafka.deleted_records import Reading
    from jobs.run.watch import Watch

    gaps = run.backlog.gaps
    gaps.update(saved_offsets.gaps(states, ids))
    reading = Reading(log, saved_offsets.owed(states, ids, saved), gaps)
    return Watch(reading, run.backlog, partial(saved_offsets.note, states, ids))


def _follow(
    java: "Java",
    rest: "Rest",
    mini_cluster: Any,
    run: "Record",
    folder: Path,
    console: Console,
    same_topics: Callable[[], None],
    asked: Signals,
    watch: "Watch",
) -> None:
    """Show the job until asked to stop, and stop it with a savepoint in `folder`; raise JobError or
    ServiceError when the job can't go on."""
    from jobs.flink import cluster
    from jobs.kafka import deleted_records
    from jobs.run import monitor
    from jobs.run.monitor import Glance

    def look_after() -> None:
        # While Flink is silent, the line that is shown says so.
        with _said(console), suppress(UnavailableError):
            if cluster.replace_lost(mini_cluster, rest):
                console.print("Flink's task manager ended; another is starting")
        with _said(console):
            same_topics()

    def say_lost() -> None:
        for lost in watch.look():
            console.print(deleted_records.told([lost]))
        run.lose(watch.lost)

    def note(now: Glance, before: Glance | None) -> Glance:
        say_lost()
        now = watch.complete(now)
        run.note(now, before)
        return now

    asked.listen(end_at_second=True)
    java.settle()
    try:
        monitor.until(asked, rest, console, java.check, look_after, note)
        run.say("STOPPING")
        monitor.stop(rest, folder, console)
    finally:
        say_lost()


@contextmanager
def _said(console: Console) -> Iterator[None]:
    """Say, and no more, what is away or refuses: it is Flink's to wait for, and asked again."""
    try:
        yield
    except ServiceError as error:
        console.print(str(error))


def _check_topics(
    config: Settings, job: str, files: list[SqlFile], client: Client, states: Path
) -> tuple[Callable[[], None], dict[str, str]]:
    """Raise JobError if a topic is not the one whose records are stored; return what raises it
    later, or ServiceError while Kafka does not tell, and the topics' ids."""
    from jobs.flink import state
    from jobs.kafka import topics
    from jobs.targets import target

    names = [topic for file in files for topic in file.topics]
    now = kafka.topic_ids(config.kafka.bootstrap_servers, names)
    if others := topics.changed(states, now):
        found = [call.target for call in target.calls(files)]
        topics.check_nothing_stored(client, job, others, found)
        state.begin_all(states)
    topics.note(states, now)

    def same_topics() -> None:
        topics.check_same(states, kafka.topic_ids(config.kafka.bootstrap_servers, names))

    return same_topics, now


@contextmanager
def workers_log_to(file: Path) -> Iterator[None]:
    """Send what the Python workers log and print, traces too, to a file: a terminal gets one line.

    They are threads of this process and speak even while it ends, so stderr stays with the file,
    except for a bug of our own."""
    stderr = sys.stderr
    file.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr = file.open("a", encoding="utf-8", buffering=1)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    try:
        yield
    except MillraceError:
        raise
    except Exception:
        sys.stderr = stderr
        raise


def _wait_for_services(config: Settings, files: list[SqlFile], console: Console) -> Client:
    said: set[str] = set()

    def say(text: str) -> None:
        if text not in said:
            console.print(text)
        said.add(text)

    client = clickhouse.wait(config.clickhouse, say, PATIENCE)
    with clickhouse.explained(config.clickhouse):
        migrations.migrate_all(client, config, console.print)
    kafka.wait(config.kafka.bootstrap_servers, say, PATIENCE)
    topics.provide(config.kafka, topics.named(files), console.print)
    return client


if __name__ == "__main__":
    main(prog_name="python -m jobs")
