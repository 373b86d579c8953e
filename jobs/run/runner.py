"""The order of a run: services, saved state, Flink, and the job until it is stopped."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from clickhouse_connect.driver.client import Client
from rich.console import Console

from jobs.accounting import account
from jobs.accounting.collection import Collection
from jobs.accounting.collector import collecting
from jobs.flink import bundles, gateway, state
from jobs.flink.gateway import Java
from jobs.job import Job
from jobs.kafka import deleted_records, saved_offsets, sources, unreadable_records
from jobs.kafka import topics as job_topics
from jobs.kafka.lag import LagMonitor
from jobs.plan import build, check
from jobs.run.failures import UnreadableError
from jobs.run.limits import DeadLetterLimits
from jobs.run.progress import ReadProgress
from jobs.run.report import reporting
from jobs.run.running import RunningJob
from jobs.sink import batches
from lib import clickhouse, kafka, migrations, ports, retention, topics
from lib.errors import JobError, MillraceError
from lib.files import show
from lib.settings import Settings
from lib.signals import Signals

FROM_SOURCES = (
    "starting from the sources, for its SQL has no saved state; what is stored is left out"
)

# How long Kafka and ClickHouse are waited for, in seconds.
PATIENCE = 300.0


def run(config: Settings, job: Job, fresh: bool, signals: Signals, java: Java) -> None:
    """Run a job, in a Java that may still be starting, until a signal stops it with a savepoint;
    raise MillraceError if it cannot start or go on."""
    console = Console(highlight=False, soft_wrap=True)
    flink = job.flink_options
    bundle_time = bundles.shortest(flink, job.place_of)
    ports.check_free(config.flink.rest_host, config.flink.rest_port, "flink.rest_port")
    client = _wait_for_services(config, job, console)
    ids = _check_topics(config, job, client)
    saved = state.each_newest(job.states)
    resume = None if fresh else state.newest(job.state)
    if not resume:
        state.begin(job.state)
    begin = f"resuming from {show(resume)}" if resume else FROM_SOURCES
    console.print(f"job {job.name}: {begin}")
    options = {**flink, **state.options(job.state, resume)}
    logs = config.data_dir / "log"
    with (
        workers_log_to(logs / f"job-{job.name}-python.log"),
        reporting(config, job, resume) as report,
    ):
        java.connect()
        inserts, plan = build.build(config, job, options)
        with clickhouse.explained(config.clickhouse):
            check.check(plan, job.calls, client)
        for notice in check.notices(plan, job):
            console.print(notice)
        progress = _progress(job, ids, saved, gateway.log_file(logs, job.name), report.lag)
        collection = _collection(config, job, ids, progress)
        if not resume:
            collection.begin_again()
        rest, mini_cluster = build.start(inserts, config, job)
        console.print(f"job {job.name}: Flink's web UI is at http://{rest.address}")
        try:
            with (
                bundles.adapting(mini_cluster, bundle_time, batches.of(job.name)),
                collecting(collection, partial(saved_offsets.of_state, topics=ids)) as collector,
            ):
                limits = DeadLetterLimits(config.dead_letters)
                RunningJob(
                    config,
                    job,
                    java,
                    rest,
                    mini_cluster,
                    report,
                    progress,
                    collector,
                    limits,
                    console,
                ).follow(signals)
        except UnreadableError as error:
            place = unreadable_records.locate(
                config.kafka.bootstrap_servers,
                job.topics,
                job.reads_committed,
                progress.positions,
                error.record,
            )
            raise JobError(f"{place}: {error}") from error


def _wait_for_services(config: Settings, job: Job, console: Console) -> Client:
    """A client of ClickHouse, which has its tables, while Kafka has the job's topics."""
    shown: set[str] = set()

    def say_once(text: str) -> None:
        if text not in shown:
            console.print(text)
        shown.add(text)

    client = clickhouse.wait(config.clickhouse, say_once, PATIENCE)
    with clickhouse.explained(config.clickhouse):
        migrations.migrate_all(client, config, console.print)
    kafka.wait(config.kafka.bootstrap_servers, say_once, PATIENCE)
    topics.provide(config.kafka, topics.named(job.files), console.print)
    with clickhouse.explained(config.clickhouse):
        retention.apply(client, config, console.print)
    return client


def _check_topics(config: Settings, job: Job, client: Client) -> dict[str, str]:
    """The ids of the job's topics; raise JobError if one is not that whose records are stored."""
    ids = kafka.topic_ids(config.kafka.bootstrap_servers, job.topics)
    if changed := job_topics.changed(job.states, ids):
        targets = [call.target for call in job.calls]
        job_topics.check_nothing_stored(client, job.name, changed, targets)
        state.begin_all(job.states)
    job_topics.remember(job.states, ids)
    return ids


def _progress(
    job: Job, ids: dict[str, str], saved: list[Path], log: Path, lag: LagMonitor
) -> ReadProgress:
    """How far this run reads Kafka, beginning with what earlier runs have read."""
    lag.gaps.update(saved_offsets.gaps(job.states, ids))
    unread = saved_offsets.unread(job.states, ids, saved)
    client_log = deleted_records.ClientLog(log, unread, lag.gaps)
    return ReadProgress(client_log, lag, partial(saved_offsets.save, job.states, ids))


def _collection(
    config: Settings, job: Job, ids: dict[str, str], progress: ReadProgress
) -> Collection:
    """What accounts for the records that this run reads, from where the last one ended."""
    starts = None if sources.begin_first(job.files) else progress.starts
    return Collection(
        config, account.of(job, config.retention.days), ids, job.reads_committed, starts
    )


@contextmanager
def workers_log_to(file: Path) -> Iterator[None]:
    """Send what the Python workers log and print, with traces, to a file: a terminal gets one line.

    They are threads of this process and write even while it ends, so stderr stays with the file,
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
