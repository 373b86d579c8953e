"""What others can know of a job: each run, and what its runner sees, as rows in ClickHouse.

Nothing here holds the job up. What cannot be told or written now is left out, and the next second
tells more.
"""

import json
import logging
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from jobs.job import Job
from jobs.kafka.deleted_records import Lost, told
from jobs.kafka.lag import Backlog
from jobs.run import expected
from jobs.run.monitor import Glance
from lib import clickhouse
from lib.errors import MillraceError, ServiceError, one_line
from lib.files import show
from lib.settings import Settings

log = logging.getLogger("millrace.record")

# How often the state is written, and how long the end waits for its last words, in seconds.
EVERY = 1.0
LAST_WORDS = 5.0


@contextmanager
def of(config: Settings, job: Job, resume: Path | None) -> Iterator["Record"]:
    """The record of one run, which ends as its block does: stopped, or failed with the error."""
    record = Record(config, job, resume)
    try:
        yield record
    except MillraceError as error:
        record.end("failed", str(error))
        raise
    except (KeyboardInterrupt, SystemExit):
        # Asked to end before there was anything to save.
        record.end("stopped", "")
        raise
    except BaseException as error:
        record.end("failed", one_line(repr(error)))
        raise
    record.end("stopped", "")


@dataclass(frozen=True, slots=True)
class Seen:
    """What is to be told: a look at the job, or a state that stands until there is another."""

    state: str
    glance: Glance | None = None
    rates: tuple[float | None, float | None] = (None, None)


class Record:
    """One run; a thread of its own writes, so that a ClickHouse that hangs delays nobody."""

    def __init__(self, config: Settings, job: Job, resume: Path | None) -> None:
        self._settings = config.clickhouse
        self._run = {
            "run_id": str(uuid.uuid4()),
            "job": job.name,
            "started_at": _now(),
            "resumed_from": show(resume) if resume else "",
            "files": {Path(file.place).name: file.text for file in job.files},
        }
        self.backlog = Backlog(config.kafka.bootstrap_servers, job.topics, job.reads_committed)
        self._seen: Seen | None = Seen("STARTING")
        self._last: dict[str, Any] = {}
        self._begun: dict[str, Any] = {}
        self._lost = ""
        self._has_run = False
        # Whether the job should run by what the runs before have left; None: not known yet.
        self._should_run: bool | None = None
        self._ended = threading.Event()
        self._client: Client | None = None
        self._said = ""
        self._thread = threading.Thread(target=self._write, name="report", daemon=True)
        self._thread.start()

    def note(self, now: Glance, before: Glance | None) -> None:
        """Take over what a look at the job has shown; never waits."""
        self._seen = Seen(now.state, now, now.rates(before))
        self._has_run |= now.state == "RUNNING"

    def lose(self, lost: Sequence[Lost]) -> None:
        """Take over all that was deleted from Kafka before this run read it; never waits."""
        self._lost = told(lost)

    def say(self, state: str) -> None:
        """Take over a state that stands until the next look; never waits."""
        self._seen = Seen(state)

    def end(self, status: str, message: str) -> None:
        """Write how the run ended, if ClickHouse takes it within LAST_WORDS."""
        self._last = {"status": status, "message": message, "ended_at": _now()}
        self._ended.set()
        self.backlog.close()
        self._thread.join(LAST_WORDS)

    def _write(self) -> None:
        is_last, pause = False, 0.0
        while not is_last:
            is_last, pause = self._ended.wait(pause), EVERY
            try:
                self._tell(is_last)
            except ServiceError as error:
                self._note(str(error))
            except Exception:
                # A mistake of ours in here must not end what others rely on.
                log.exception("job %s: not recorded", self._run["job"])
        if self._client:
            self._client.close()

    def _tell(self, is_last: bool) -> None:
        if self._should_run is None:
            with clickhouse.explained(self._settings):
                self._should_run = expected.should_run(
                    self._connected(), self._settings.database, str(self._run["job"])
                )
        if is_last:
            state, message = self._last["status"].upper(), self._last["message"]
            both = " ".join(filter(None, [message, self._lost]))
            self._insert("job_runs", {**self._run, **self._last, "message": both})
            self._insert("job_status", {**self._identity(state), "message": message})
            return
        begun = {**self._run, "status": "running", "message": self._lost}
        if begun != self._begun:
            self._insert("job_runs", begun)
            self._begun = begun
        # A look is told once: one that is not followed by another grows old, and is seen to.
        seen, self._seen = self._seen, None
        if seen and not seen.glance:
            self._seen = seen
        if seen:
            self._insert("job_status", {**self._identity(seen.state), **self._status(seen)})

    def _identity(self, state: str) -> dict[str, Any]:
        """Which job is in which state, and whether it should run."""
        given = {name: self._run[name] for name in ("job", "run_id")}
        should_run = state != "STOPPED" and bool(self._has_run or self._should_run)
        return {**given, "state": state, "should_run": should_run, "lost": self._lost}

    def _status(self, seen: Seen) -> dict[str, Any]:
        glance = seen.glance or Glance(0.0, seen.state)
        return {
            "message": glance.reason or self.backlog.problem,
            "records_per_second": seen.rates[0],
            "rows_per_second": seen.rates[1],
            "checkpointed_at": _now(glance.checkpoint_age),
            "partitions": [
                {"topic": topic, "partition": number, "lag": lag}
                for (topic, number), lag in glance.lags.items()
            ],
        }

    def _insert(self, table: str, row: Mapping[str, Any]) -> None:
        with clickhouse.explained(self._settings):
            self._connected().raw_insert(
                f"{self._settings.database}.{table}",
                insert_block=json.dumps(row),
                fmt="JSONEachRow",
                settings={"async_insert": 0, "date_time_input_format": "best_effort"},
            )

    def _connected(self) -> Client:
        if self._client is None:
            self._client = clickhouse.connect(self._settings)
        return self._client

    def _note(self, text: str) -> None:
        """Log what cannot be written, once."""
        if text != self._said:
            log.warning("job %s: not recorded: %s", self._run["job"], text)
        self._said = text


def _now(age: float | None = 0.0) -> str | None:
    """The moment so many seconds ago, as ClickHouse reads it."""
    if age is None:
        return None
    return (datetime.now(UTC) - timedelta(seconds=age)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
