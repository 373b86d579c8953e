"""The commands of the documents, run as they stand, and the shape of the answers shown."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import pytest

from tests import documents
from tests.documents import Command
from tests.e2e.support import LIMIT, ROOT, Place, free_ports, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

# Commands that this test does not run, and why.
ELSEWHERE = {
    "make demo": "tests/e2e/test_demo.py runs it, as it needs a stack of its own",
    "make up": "tests/e2e/test_stack.py runs it; here the stack is there already",
    "make down": "tests/e2e/test_stack.py runs it; it would end the stack of other tests",
    "make chaos SEED=1 ROUNDS=1": "tests/chaos/test_chaos.py runs another round",
    "make backup TO=var/backups/monday": "tests/e2e/test_backup.py makes another backup",
    "make restore FROM=var/backups/monday ARGS=--replace": "tests/e2e/test_backup.py restores it",
    "make plan": "tests/e2e/test_sql.py runs it; tests/e2e/test_plan.py plans these SQL files",
    "MILLRACE_FLINK__REST_PORT=8082 make run-job JOB=sensors": "tests/e2e/test_sql.py runs another "
    "second job; tests/e2e/test_plan.py plans this one",
}
# Commands that run until they are stopped, and the line that says that they run.
LASTING = {
    "make run-job": "^RUNNING",
    # It reports on stderr.
    "make produce": "",
    "make api": " endpoints at ",
    'make api ARGS="--reload --port 8503"': " endpoints at ",
}
# Where Kafka, ClickHouse, Flink, the API and a second API listen in the documents.
PORTS = ("9092", "8123", "8081", "8502", "8503")
VIEW = ROOT / "sql" / "clickhouse" / "003_view_latest_of_ticks.sql"


@pytest.fixture
def written(place: Place) -> Iterator[Place]:
    """A place with all SQL files that the documents have the reader write."""
    sql = documents.write_sql(place.folder)
    place.ask("TRUNCATE TABLE stocks.job_status")
    sensors = place.having(KAFKA__TOPIC="sensors")
    sensors.make_topic()
    yield place.having(SQL_DIR=sql)
    place.clear()
    sensors.delete_topic()
    query = VIEW.read_text().split(" AS\n", 1)[1]
    place.ask(f"ALTER TABLE stocks.latest_of_ticks MODIFY QUERY {query}")
    for kind, name in (
        ("VIEW", "stocks.volumes"),
        ("TABLE", "stocks.large_ticks"),
        ("TABLE", "stocks.totals"),
        ("DATABASE", "sensors"),
    ):
        place.ask(f"DROP {kind} IF EXISTS {name} SYNC")
    theirs = f"number > {len([*VIEW.parent.glob('*.sql')])} SETTINGS mutations_sync = 1"
    place.ask(f"ALTER TABLE stocks.schema_migrations DELETE WHERE {theirs}")


def test_each_command_of_the_documents_runs_and_answers_as_shown(written: Place) -> None:
    commands = {each.text: each for each in documents.commands()}
    assert [text for text in [*ELSEWHERE, *LASTING] if text not in commands] == []
    run = Runner(written)
    for text in LASTING:
        run.start(text)
    for text in commands:
        if text not in [*ELSEWHERE, *LASTING] and not text.startswith("curl "):
            run.once(text)
    for table in ("stocks.large_ticks", "stocks.totals"):
        wait_until(lambda table=table: written.count(table), f"{table} has rows")
    # The job of the sensors is planned elsewhere, and does not run here.
    written.ask("INSERT INTO sensors.readings (sensor, temperature) VALUES ('a1', 21.5)")
    for command in commands.values():
        if command.text.startswith("curl "):
            wait_until(lambda command=command: run.is_as_shown(command), str(command), 60)
    assert written.having(KAFKA__TOPIC="sensors").records() == 1
    assert {*commands} - run.done == {*ELSEWHERE}


class Runner:
    """Runs commands of the documents on the ports of a place."""

    def __init__(self, place: Place) -> None:
        self._place = place
        names = ("CLICKHOUSE__PORT", "FLINK__REST_PORT", "API__PORT")
        kafka = place.servers.rpartition(":")[2]
        ports = [kafka, *(place.names[f"MILLRACE_{name}"] for name in names), *free_ports(1)]
        self._ports = dict(zip(PORTS, map(str, ports), strict=True))
        self.done: set[str] = set()

    def _here(self, text: str) -> str:
        self.done.add(text)
        return re.sub("|".join(self._ports), lambda match: self._ports[match[0]], text)

    def start(self, text: str) -> None:
        """Start what runs until it is stopped, as make does, and return when it runs."""
        program = self._place.start(*recipe(self._here(text)))
        if LASTING[text]:
            program.wait_line(LASTING[text])

    def once(self, text: str) -> None:
        """Run what ends by itself: with make's recipe, or in a shell beside the SQL files."""
        if text.startswith("make "):
            ended = self._place.run(*recipe(self._here(text)))
            assert ended.code == 0, f"{text}\n{ended.err}"
            return
        line = self._here(text).replace(".venv/bin/python", sys.executable)
        subprocess.run(["bash", "-c", line], cwd=self._place.folder, check=True, timeout=LIMIT)

    def is_as_shown(self, command: Command) -> bool:
        """Whether an answer has the shape of the one that is shown."""
        *options, address = shlex.split(self._here(command.text))[1:]
        headers = {"Accept": "text/event-stream"} if "-H" in options else {}
        with httpx.stream("GET", f"http://{address}", headers=headers, timeout=LIMIT) as answer:
            real = event(answer.iter_lines()) if "-N" in options else answer.read().decode()
        shown = event(command.answer.splitlines()) if "-N" in options else command.answer
        return is_like(shown, real)


def event(lines: Iterable[str]) -> str:
    """The data of the first event that has some."""
    return next(line[6:] for line in lines if re.match(r"data: [\[{]", line))


def recipe(text: str) -> list[str]:
    """The module that a make target runs and its arguments, without the set-up before it."""
    command = ["make", "--dry-run", *shlex.split(text)[1:]]
    # Nothing else: a make that runs the tests hands on its options and ARGS.
    environ = {"PATH": os.environ["PATH"]}
    shown = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    ).stdout
    return shlex.split(shown.splitlines()[-1].partition(" -m ")[2])


def is_like(shown: str, real: str) -> bool:
    """Whether two answers have the same keys, or columns, and types; `...` leaves out the rest."""
    if shown[:1] not in "{[":
        return [*map(kinds, shown.splitlines())] == [*map(kinds, real.splitlines())]
    is_whole = "..." not in shown
    return matches(json.loads(re.sub(r",?\s*\.\.\.", "", shown)), json.loads(real), is_whole)


def kinds(line: str) -> list[str]:
    """What each column of a line of CSV or TSV holds."""
    return [
        "number" if re.fullmatch(r"-?[\d.]+", value) else "text"
        for value in re.split("[,\t]", line)
    ]


def matches(shown: Any, real: Any, is_whole: bool) -> bool:
    """Whether two JSON values have one shape; null, and a list without elements, may be any."""
    match shown, real:
        case (None, _) | (_, None) | ([], list()) | (list(), []):
            return True
        case dict(), dict():
            names = shown.keys() == real.keys() if is_whole else shown.keys() <= real.keys()
            return names and all(matches(shown[name], real[name], is_whole) for name in shown)
        case [first, *_], [other, *_]:
            return matches(first, other, is_whole)
    numbers = (int, float)
    return type(shown) is type(real) or (isinstance(shown, numbers) and isinstance(real, numbers))
