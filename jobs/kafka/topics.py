"""Which topics a job reads, by their ids: a topic that was deleted and made again has another id,
and its offsets mean other records."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from clickhouse_connect.driver.client import Client

from jobs.targets.target import Target
from lib import files
from lib.errors import JobError

_FILE = "topics.json"


def changed(folder: Path, topics: Mapping[str, str]) -> list[str]:
    """The topics that are not those that the job, whose folder this is, read before."""
    before = _read(folder / _FILE)
    return [name for name, number in topics.items() if before.get(name, number) != number]


def note(folder: Path, topics: Mapping[str, str]) -> None:
    """Remember what the job reads from now on, beside what it read in other versions."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / _FILE
    files.replace(file, json.dumps(_read(file) | dict(topics)))


def check_same(folder: Path, topics: Mapping[str, str]) -> None:
    """Raise JobError if a topic became another one while the job reads it."""
    for name in changed(folder, topics):
        raise JobError(
            f"topic {name}: was recreated while the job read it, so that offsets mean other "
            "records now; run the job again, which tells what to do."
        )


def check_nothing_stored(
    client: Client, job: str, names: Sequence[str], targets: Iterable[Target]
) -> None:
    """Raise JobError if a table still has the job's rows of an earlier topic of these names: the
    marks in it would skip the records of the new one."""
    for found in targets:
        rows = (
            found.is_tracked
            and client.query(
                f"SELECT 1 FROM {found.table} WHERE inserted_by = {{writer:String}} LIMIT 1",
                parameters={"writer": f"{job}/{found.name}"},
            ).result_rows
        )
        if rows:
            raise JobError(
                f"topic {', '.join(names)}: was recreated, and {found.table} holds records of the "
                "earlier one; empty it (TRUNCATE TABLE), or write as another: "
                "'table (columns) AS name'."
            )


def _read(file: Path) -> dict[str, str]:
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}
