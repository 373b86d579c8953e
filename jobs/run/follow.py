"""Follow a job that runs: keep its cluster complete, report it, stop it with a savepoint."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from jobs.flink import cluster
from jobs.flink.gateway import Java
from jobs.flink.rest import Rest
from jobs.job import Job
from jobs.kafka import deleted_records, topics
from jobs.run import monitor
from jobs.run.monitor import Glance
from jobs.run.report import Record
from jobs.run.watch import Watch
from lib import kafka
from lib.errors import ServiceError, UnavailableError
from lib.settings import Settings
from lib.signals import Signals


@dataclass(frozen=True, slots=True)
class Follower:
    """A job that runs, and all that is known of it."""

    config: Settings
    job: Job
    java: Java
    rest: Rest
    mini_cluster: Any
    record: Record
    watch: Watch
    console: Console

    def follow(self, signals: Signals) -> None:
        """Show the job until a signal comes, and stop it with a savepoint; raise JobError or
        ServiceError when it cannot go on."""
        signals.listen(end_at_second=True)
        self.java.settle()
        try:
            monitor.until(
                signals, self.rest, self.console, self.java.check, self._maintain, self._note
            )
            self.record.say("STOPPING")
            monitor.stop(self.rest, self.job.state, self.console)
        finally:
            self._report_deleted()

    def _maintain(self) -> None:
        # While Flink does not answer, the line that is shown says so.
        with self._shown(), suppress(UnavailableError):
            if cluster.replace_lost(self.mini_cluster, self.rest):
                self.console.print("Flink's task manager ended; another is starting")
        with self._shown():
            ids = kafka.topic_ids(self.config.kafka.bootstrap_servers, self.job.topics)
            topics.check_same(self.job.states, ids)

    def _note(self, now: Glance, before: Glance | None) -> Glance:
        self._report_deleted()
        now = self.watch.complete(now)
        self.record.note(now, before)
        return now

    def _report_deleted(self) -> None:
        for lost in self.watch.look():
            self.console.print(deleted_records.told([lost]))
        self.record.lose(self.watch.lost)

    @contextmanager
    def _shown(self) -> Iterator[None]:
        """Show that a service is unavailable or refuses, and go on: Flink waits for it too, and it
        is asked again."""
        try:
            yield
        except ServiceError as error:
            self.console.print(str(error))
