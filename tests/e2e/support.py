"""What the end-to-end tests share: the programs as a user runs them, ticks as another client sends
them, and waiting for a condition, never for a time."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
)

from lib.ports import free as free_ports
from lib.processes import end_with_parent
from local.stack import SERVERS
from local.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[2]
PARTITIONS = 4

# Generous: a machine may be slow, and a test must not be about that. In seconds.
LIMIT = 300.0

Tick = dict[str, Any]


def wait_until(condition: Callable[[], Any], what: str, limit: float = LIMIT) -> Any:
    """Return the condition's result as soon as it is true; servers may be unavailable meanwhile."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if found := condition():
                return found
        time.sleep(0.1)
    raise AssertionError(f"not within {limit:.0f} s: {what}")


@dataclass(frozen=True)
class Ended:
    """A program that ended, with its output."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line on stderr of a program that ended with 2."""
        assert self.code == 2, f"exit {self.code}\n{self.out}\n{self.err}"
        assert len(self.err.splitlines()) == 1, self.err
        return self.err.strip()


class Program:
    """A running program of the project and the lines it has said."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], cwd: Path) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environ,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=given, daemon=True)
            for given in [(self.process.stdout, self.out), (self.process.stderr, self.err)]
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def said(self) -> str:
        return "\n".join([*self.out, "--- stderr", *self.err])

    def _read(self, stream: Any, lines: list[str]) -> None:
        with stream:
            for line in stream:
                lines.append(line.rstrip("\n"))

    def wait_line(self, pattern: str, limit: float = LIMIT) -> re.Match[str]:
        """The first line on stdout that holds the pattern."""

        def look() -> re.Match[str] | None:
            found = next(filter(None, (re.search(pattern, line) for line in [*self.out])), None)
            if not found and self.process.poll() is not None:
                self.end()
                found = next(filter(None, (re.search(pattern, line) for line in self.out)), None)
                assert found, f"ended with {self.process.returncode} before {pattern}"
            return found

        try:
            return wait_until(look, pattern, limit)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said}") from None

    def interrupt(self) -> None:
        """Ctrl-C, as a terminal sends it: to the whole process group."""
        os.killpg(self.pid, signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL to this process alone."""
        self.process.kill()
        self.process.wait()

    def end(self, limit: float = LIMIT) -> Ended:
        """Wait for its end; raise AssertionError if that does not come or there is a trace."""
        try:
            code = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not end within {limit:.0f} s:\n{self.said}") from None
        for reader in self._readers:
            reader.join(60)
        assert "Traceback" not in self.said, self.said
        return Ended(code, "\n".join(self.out), "\n".join(self.err))


@dataclass(frozen=True)
class Place:
    """Settings of their own, under which the programs run apart from everything else."""

    folder: Path
    names: Mapping[str, str]
    started: list[Program] = field(default_factory=list)
    root: Path = ROOT

    @classmethod
    def new(cls, folder: Path) -> "Place":
        """A folder and ports for a whole stack."""
        kafka, controller, clickhouse, flink, api = free_ports(5)
        return cls(
            folder,
            {
                "MILLRACE_DATA_DIR": str(folder / "var"),
                "MILLRACE_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{kafka}",
                "MILLRACE_LOCAL__KAFKA_CONTROLLER_PORT": str(controller),
                "MILLRACE_CLICKHOUSE__PORT": str(clickhouse),
                "MILLRACE_FLINK__REST_PORT": str(flink),
                "MILLRACE_API__PORT": str(api),
            },
        )

    def having(self, **names: str | int | Path) -> "Place":
        """The same with other settings: having(KAFKA__TOPIC="other")."""
        return self.within({f"MILLRACE_{name}": str(value) for name, value in names.items()})

    def within(self, names: Mapping[str, str]) -> "Place":
        return replace(self, names={**self.names, **names})

    # Programs.

    def start(self, *arguments: str) -> Program:
        """Start `python -m` with these arguments; it ends with the tests, however they end."""
        environ = {n: v for n, v in os.environ.items() if not n.startswith("MILLRACE_")}
        program = Program(
            [sys.executable, "-m", *arguments],
            environ | {"JAVA_HOME": "", "PYTHONUNBUFFERED": "1"} | self.names,
            self.root,
        )
        self.started.append(program)
        return program

    def run(self, *arguments: str, limit: float = LIMIT) -> Ended:
        return self.start(*arguments).end(limit)

    def run_job(self, job: str = "stocks", *arguments: str) -> Program:
        """Start a job and return when it runs."""
        program = self.start("jobs", "run", job, *arguments)
        program.wait_line("^RUNNING")
        return program

    def stop_job(self, program: Program, job: str = "stocks") -> str:
        """Stop a job as `make stop-job` does and return its savepoint."""
        stopped = self.run("jobs", "stop", job)
        assert stopped.code == 0 and stopped.out.splitlines()[-1] == f"job {job} stopped"
        ended = program.end()
        assert ended.code == 0, program.said
        return re.search(r"^stopped; saved to (.+)", ended.out, re.MULTILINE)[1]

    def processes(self) -> dict[int, str]:
        """Whatever runs with this data folder, Flink's and Kafka's Java too: id and command."""
        wanted = f"MILLRACE_DATA_DIR={self.names['MILLRACE_DATA_DIR']}".encode()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(folder.name)] = command.decode(errors="replace")
        # One that ended and is not waited for yet has no command any more.
        return {pid: command for pid, command in found.items() if command}

    def states(self) -> dict[str, dict[str, Any]]:
        """What `local status` shows, without starting a program for it."""
        return Supervisor(Path(self.names["MILLRACE_DATA_DIR"])).states()

    def has_servers(self) -> bool:
        """Whether Kafka and ClickHouse run."""
        states = self.states()
        return all(states[name]["statename"] == "RUNNING" for name in SERVERS)

    def java(self) -> list[int]:
        return [pid for pid, command in self.processes().items() if "/bin/java " in command]

    def clear(self) -> None:
        """End the programs that still run: in order first, then by force."""
        for program in self.started:
            if program.process.poll() is None:
                program.process.terminate()
        with suppress(AssertionError):
            wait_until(lambda: not self.processes(), "everything ended", 90)
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for program in self.started:
            program.kill()

    def pid(self, name: str) -> int:
        """The process of one program of the stack; 0 if it does not run."""
        info = self.states()[name]
        return int(info["pid"]) if info["statename"] == "RUNNING" else 0

    def kill_program(self, name: str) -> None:
        """SIGKILL to one program of the stack; return when another runs in its place."""
        old = self.pid(name)
        assert old, f"{name} does not run"
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: self.pid(name) not in (0, old), f"{name} runs again")

    # Kafka.

    @property
    def topic(self) -> str:
        return self.names.get("MILLRACE_KAFKA__TOPIC", "stock-ticks")

    @property
    def servers(self) -> str:
        return self.names["MILLRACE_KAFKA__BOOTSTRAP_SERVERS"]

    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.servers, "log_level": 0})

    def make_topic(self, name: str | None = None) -> None:
        admin, topic = self.admin(), NewTopic(name or self.topic, PARTITIONS, 1)
        admin.create_topics([topic], request_timeout=120)[topic.topic].result()

    def delete_topic(self) -> None:
        admin = self.admin()
        admin.delete_topics([self.topic], request_timeout=120)[self.topic].result()
        wait_until(lambda: self.topic not in admin.list_topics(timeout=90).topics, "deleted")

    def send(self, values: Iterable[Tick | str], topic: str | None = None) -> None:
        """Send records and return when all are acknowledged."""
        load = Load(self, values, topic=topic)
        load.start()
        load.wait()

    def send_bytes(self, records: Iterable[tuple[bytes | None, bytes | None]]) -> None:
        """Send these keys and values to partition 0, and return when all are acknowledged."""
        options = {"bootstrap.servers": self.servers, "message.max.bytes": 20_000_000}
        producer = Producer(options | {"enable.idempotence": True, "log_level": 0})
        failures: list[str] = []
        for key, value in records:
            producer.produce(
                self.topic,
                value,
                key,
                partition=0,
                on_delivery=lambda error, _: failures.append(str(error)) if error else None,
            )
        assert producer.flush(LIMIT) == 0 and not failures, failures[:3]

    def configure_topic(self, options: Mapping[str, str | int]) -> None:
        """Set options of the topic, under Kafka's names."""
        entries = [
            ConfigEntry(name, str(value), incremental_operation=AlterConfigOpType.SET)
            for name, value in options.items()
        ]
        topic = ConfigResource(ConfigResource.Type.TOPIC, self.topic, incremental_configs=entries)
        admin = self.admin()
        admin.incremental_alter_configs([topic])[topic].result(LIMIT)

    def transact(self, values: Iterable[Tick | str], partition: int, commit: bool = True) -> None:
        """Send records in one transaction to one partition, and commit or abort it."""
        options = {"bootstrap.servers": self.servers, "log_level": 0}
        producer = Producer(options | {"transactional.id": uuid.uuid4().hex})
        producer.init_transactions(LIMIT)
        producer.begin_transaction()
        for value in values:
            text = value if isinstance(value, str) else json.dumps(value)
            producer.produce(self.topic, text, partition=partition)
        # Else those that are not sent yet are dropped when the transaction is aborted.
        producer.flush(LIMIT)
        (producer.commit_transaction if commit else producer.abort_transaction)(LIMIT)

    def delete_records(self, before: Mapping[int, int]) -> None:
        """Have Kafka delete the records before these offsets of partitions, as retention does."""
        places = [TopicPartition(self.topic, number, offset) for number, offset in before.items()]
        admin = self.admin()
        for deleted in admin.delete_records(places).values():
            deleted.result(LIMIT)

    def records(self) -> int:
        """How many records the topic holds."""
        marks = wait_until(self.marks, "Kafka tells the ends of the topic")
        return sum(high - low for low, high in marks)

    def marks(self) -> list[tuple[int, int]]:
        """The first offset and the end of each partition; empty while the broker does not say."""
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": "-", "log_level": 0})
        places = [TopicPartition(self.topic, number) for number in range(PARTITIONS)]
        try:
            return [consumer.get_watermark_offsets(place, timeout=60) for place in places]
        except KafkaException:
            # A broker that has just come back does not lead its partitions yet.
            return []
        finally:
            consumer.close()

    # ClickHouse and Flink, as any HTTP client asks them.

    def ask(self, sql: str) -> list[list[Any]]:
        """The rows that ClickHouse answers."""
        port = self.names["MILLRACE_CLICKHOUSE__PORT"]
        settings = {"output_format_json_quote_64bit_integers": 0, "default_format": "JSONCompact"}
        answer = httpx.post(f"http://127.0.0.1:{port}/", params=settings, content=sql, timeout=120)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"] if answer.text else []

    def count(self, table: str = "stocks.ticks") -> int:
        return int(self.ask(f"SELECT count() FROM {table}")[0][0])

    def dead_letters(self, where: str = "true") -> int:
        """How many dead letters the topic has for which this is true."""
        letters = f"SELECT 1 FROM stocks.dead_letters FINAL WHERE topic = '{self.topic}'"
        return self.count(f"({letters} AND {where})")

    def wait_count(self, count: int, table: str = "stocks.ticks") -> None:
        job = self.started[-1].process

        def look() -> bool:
            assert not job.poll(), f"the job ended before {count} rows were in {table}"
            return self.count(table) >= count

        try:
            wait_until(look, f"{count} rows in {table}")
        except AssertionError as error:
            said = "\n".join(program.said for program in self.started[-2:])
            raise AssertionError(f"{error}: {self.count(table)}\n{said}") from None

    def api(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.names['MILLRACE_API__PORT']}{path}", timeout=60)

    def flink(self, path: str) -> httpx.Response:
        port = self.names["MILLRACE_FLINK__REST_PORT"]
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=60)

    def has_checkpoint(self) -> bool:
        return any((self.folder / "var" / "flink").rglob("chk-*/_metadata"))


class Load(threading.Thread):
    """Records on their way from another client than ours, at a steady pace if one is given."""

    def __init__(
        self,
        place: Place,
        values: Iterable[Tick | str],
        per_second: float | None = None,
        topic: str | None = None,
    ) -> None:
        super().__init__(daemon=True)
        self._values = values
        self._pause = 100 / per_second if per_second else 0.0
        self._hurried = threading.Event()
        self._topic = topic or place.topic
        self.acknowledged = 0
        self.failures: list[str] = []
        self._producer = Producer(
            {
                "bootstrap.servers": place.servers,
                "acks": "all",
                "enable.idempotence": True,
                "message.timeout.ms": int(2000 * LIMIT),
                "queue.buffering.max.messages": 1_000_000,
                "log_level": 0,
            }
        )

    def run(self) -> None:
        for number, value in enumerate(self._values):
            text = value if isinstance(value, str) else json.dumps(value)
            key = value["symbol"] if isinstance(value, dict) and "symbol" in value else None
            self._producer.produce(self._topic, text, key, on_delivery=self._note)
            if self._pause and number % 100 == 99:
                self._producer.poll(0)
                self._hurried.wait(self._pause)
        self._producer.flush(LIMIT)

    def _note(self, error: object, message: object) -> None:
        self.acknowledged += error is None
        if error:
            self.failures.append(str(error))

    def wait(self) -> None:
        """Send the rest at once, and return when all is acknowledged."""
        self._hurried.set()
        self.join(2 * LIMIT)
        assert not self.is_alive() and not self.failures, self.failures[:3]


SYMBOLS = ("AAPL", "AMZN", "BRK.B", "GOOGL", "META", "MSFT", "NVDA", "TSLA")
START = datetime(2024, 1, 30, 10)


def tick(number: int) -> Tick:
    """One of many ticks that all differ: the volume is the number."""
    return {
        "symbol": SYMBOLS[number % len(SYMBOLS)],
        "price": 100 + number / 7,
        "volume": number,
        "timestamp": (START + timedelta(microseconds=1_000_003 * number)).isoformat(),
    }


def ticks(first: int, last: int) -> Iterable[Tick]:
    """From number `first` up to, not with, number `last`."""
    return map(tick, range(first, last))


def check_stored(place: Place, sent: Iterable[Tick], others: int = 0) -> None:
    """Each record of the topic is one row with exactly the values that were sent, but for so many
    that are no tick."""
    rows = place.ask(
        "SELECT symbol, price, volume, replaceOne(toString(timestamp), ' ', 'T'), inserted_by"
        " FROM stocks.ticks ORDER BY volume"
    )
    expected = [[t["symbol"], t["price"], t["volume"], _micro(t), "stocks/ticks"] for t in sent]
    assert len(rows) == len(expected) == place.records() - others
    different = [pair for pair in zip(rows, expected, strict=True) if pair[0] != pair[1]]
    assert not different, different[:3]
    (places,) = place.ask(
        "SELECT sum(rows), sum(places), sum(last + 1) FROM (SELECT count() AS rows,"
        " uniqExact(kafka_offset) AS places, max(kafka_offset) AS last"
        " FROM stocks.ticks GROUP BY kafka_partition)"
    )
    assert places[:2] == [len(expected)] * 2, "each (partition, offset) once"
    assert others or places[2] == len(expected), "none left out"


def _micro(tick: Tick) -> str:
    return datetime.fromisoformat(tick["timestamp"]).isoformat(timespec="microseconds")


def sql_with(folder: Path, *jobs: str) -> Path:
    """A copy of sql/ to edit, with jobs of tests/e2e/sql and the tables of their databases added; a
    job without a sink or an insert gets the stock job's sink, or its insert of ticks."""
    copy, ours = folder / "sql", ROOT / "tests" / "e2e" / "sql"
    shutil.copytree(ROOT / "sql", copy)
    for job in jobs:
        own = shutil.copytree(ours / "flink" / job, copy / "flink" / job)
        for file in (copy / "flink" / "stocks").glob("[89]00_*.sql"):
            if not [*own.glob(f"{file.name[:3]}_*")]:
                shutil.copy(file, own)
        for file in ours.glob("clickhouse/*.sql"):
            if f" {job}." in file.read_text():
                shutil.copy(file, copy / "clickhouse")
    return copy


@contextmanager
def with_job(place: Place, job: str) -> Iterator[Place]:
    """The place with another job of tests/e2e/sql, whose database it has for itself."""
    place.ask(f"DROP DATABASE IF EXISTS {job} SYNC")
    yield place.having(SQL_DIR=sql_with(place.folder, job), CLICKHOUSE__DATABASE=job)
    place.ask(f"DROP DATABASE IF EXISTS {job} SYNC")


def copy_project(folder: Path) -> Path:
    """A copy of the folders that a job runs from, without JARs."""
    for name in ("conf", "jobs", "lib", "sql"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("jars"))
    return folder
