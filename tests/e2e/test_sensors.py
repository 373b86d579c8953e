"""The second domain, as its README says: from topic to alert in SQL files alone."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.e2e.support import LIMIT, ROOT, Place, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

FOLDER = ROOT / "examples" / "sensors"
SEND = re.compile(r"^\.venv/bin/python -m (kafka\.producer .+) < (examples/\S+)$", re.MULTILINE)


@pytest.fixture
def sensors(place: Place) -> Iterator[Place]:
    """A place with the SQL files of the stocks and of the sensors."""
    copy = place.folder / "sql"
    for files in (ROOT / "sql", FOLDER / "sql"):
        shutil.copytree(files, copy, dirs_exist_ok=True)
    own = place.having(SQL_DIR=copy, KAFKA__TOPIC="sensors")
    yield own
    own.clear()
    own.delete_topic()
    place.ask("DROP DATABASE sensors SYNC")
    place.ask(
        "ALTER TABLE stocks.schema_migrations DELETE WHERE number > 500 SETTINGS mutations_sync = 1"
    )


def test_readings_become_rows_and_an_alert(sensors: Place) -> None:
    assert [*FOLDER.rglob("*.py")] == []
    tested = sensors.run("jobs", "test-sql", "--folder", str(FOLDER / "tests"))
    assert (tested.code, tested.out.splitlines()[-1]) == (0, "1 passed, 0 failed")

    job = sensors.run_job("sensors")
    producer, readings = SEND.findall((FOLDER / "README.md").read_text())[0]
    command = producer.replace("127.0.0.1:9092", sensors.servers).split()
    with (ROOT / readings).open() as lines:
        subprocess.run([sys.executable, "-m", *command], stdin=lines, check=True, timeout=LIMIT)

    sensors.wait_count(8, "sensors.readings")
    wait_until(sensors.dead_letters, "a dead letter")
    sensors.start("api").wait_line(" endpoints at ")
    alerts = wait_until(lambda: sensors.api("/api/overheated").json()["data"], "an alert")
    assert alerts == [
        {
            "sensor": "boiler",
            "started_at": "2024-01-30T10:00:10.000000Z",
            "ended_at": "2024-01-30T10:00:30.000000Z",
            "highest": 88.5,
        }
    ]
    newest = {row["sensor"]: row["newest"] for row in sensors.api("/api/readings").json()["data"]}
    assert newest == {"attic": 18.5, "boiler": 70}

    sensors.stop_job(job, "sensors")
