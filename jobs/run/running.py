"""A job that runs: its cluster is kept complete, its status reported, and it is stopped at last."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from jobs.accounting.collector import Collector
from jobs.flink import cluster
from jobs.flink.gateway import Java
from jobs.flink.rest import Rest
from jobs.job import Job
from jobs.kafka import deleted_records, topics
from jobs.run import event_time, monitor
from jobs.run.event_time import EventTime
from jobs.run.limits import DeadLetterLimits
from jobs.run.progress import ReadProgress
from jobs.run.report import Report
from jobs.run.status import JobStatus
from lib import kafka
from lib.errors import ServiceError, UnavailableError, one_line
from lib.settings import Settings
from lib.signals import Signals

# How long the end of a job waits until its records are accounted for, in seconds.
COLLECT_LIMIT = 30.0


@dataclass(frozen=True, slots=True)
class RunningJob:
    """One run, by Flink's handles and what is known and reported of it."""

    config: Settings
    job: Job
    java: Java
    rest: Rest
    mini_cluster: Any
    report: Report
    progress: ReadProgress
    collector: Collector
    limits: DeadLetterLimits
    console: Console
    event_time: EventTime = field(default_factory=EventTime)

    def follow(self, signals: Signals) -> None:
        """Show the job until a signal comes, and stop it with a savepoint; raise JobError or
        ServiceError when it cannot go on."""
        signals.listen(end_at_second=True)
        self.java.settle()
        try:
            monitor.follow(
                signals, self.rest, self.console, self.java.check, self._maintain, self._complete
            )
            self.report.set_state("STOPPING")
            saved = monitor.stop(self.rest, self.job.state, self.console)
            self._collect_rest(saved)
        finally:
            self._report_lost()

    def _maintain(self) -> None:
        # That Flink does not answer is on the live line already.
        with self._errors_shown(), suppress(UnavailableError):
            if cluster.replace_task_manager(self.mini_cluster, self.rest):
                self.console.print("Flink's task manager ended; another is starting")
        if event_time.has_watermark(self.job.files):
            with suppress(ServiceError):
                self.event_time.see(time.monotonic(), self.rest.watermark())
        with self._errors_shown():
            ids = kafka.topic_ids(self.config.kafka.bootstrap_servers, self.job.topics)
            topics.check_same(self.job.states, ids)

    def _complete(self, now: JobStatus, before: JobStatus | None) -> JobStatus:
        self._report_lost()
        now = self._collect(self.progress.complete(now))
        self.report.set_status(now, before)
        return now

    def _collect(self, now: JobStatus) -> JobStatus:
        """Have the records up to the newest checkpoint accounted for; return the status with the
        collector's numbers. Raise JobError for dead letters beyond a limit of the settings."""
        self.collector.check()
        if now.checkpoint:
            self.collector.collect(Path(now.checkpoint))
        if now.state != "RUNNING":
            return now
        # Records that the source left out are in no metric of Flink.
        unparsed = self.collector.unparsed
        now = replace(
            now,
            records=now.records + unparsed,
            dead_letters=now.dead_letters + unparsed,
            uncollected=self.collector.uncollected,
            problem=self.collector.problem,
            notice=self.event_time.notice,
        )
        self.limits.check(now)
        self.event_time.records = now.records
        return now

    def _collect_rest(self, saved: Path | None) -> None:
        """Wait until all records that the job has read are accounted for, or for COLLECT_LIMIT."""
        if saved and not self.collector.finish(saved, COLLECT_LIMIT):
            why = self.collector.problem or f"this takes longer than {COLLECT_LIMIT:.0f} s"
            self.console.print(
                f"not all records are accounted for ({one_line(why):.200}); the next run continues"
            )

    def _report_lost(self) -> None:
        for lost in self.progress.read_log():
            self.console.print(deleted_records.describe([lost]))
        self.report.set_lost(self.progress.lost)

    @contextmanager
    def _errors_shown(self) -> Iterator[None]:
        """Show that a service is unavailable or refuses, and go on: Flink waits for it, too."""
        try:
            yield
        except ServiceError as error:
            self.console.print(str(error))
