"""Which topics a job reads, by their ids: a topic that was recreated has another id, and its
offsets mean other records."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from clickhouse_connect.driver.client import Client

from jobs.targets.target import Target
from lib import files
from lib.errors import JobError

_FILE = "topics.json"


def changed(folder: Path, topics: Mapping[str, str]) -> list[str]:
    """The topics whose ids differ from those that the job, whose folder this is, read before."""
    before = _read(folder / _FILE)
    return [name for name, topic_id in topics.items() if before.get(name, topic_id) != topic_id]


def remember(folder: Path, topics: Mapping[str, str]) -> None:
    """Save the ids of what the job reads from now on, beside those that other versions read."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / _FILE
    files.replace(file, json.dumps(_read(file) | dict(topics)))


def check_same(folder: Path, topics: Mapping[str, str]) -> None:
    """Raise JobError if a topic was recreated while the job reads it."""
    for name in changed(folder, topics):
        raise JobError(
            f"topic {name}: was recreated while the job read it, so that offsets mean other "
            "records now; run the job again, which says what to do."
        )


def check_nothing_stored(
    client: Client, job: str, names: Sequence[str], targets: Iterable[Target]
) -> None:
    """Raise JobError if a table still has the job's rows or dead letters of an earlier topic of
    these names: by their offsets, records of the new topic would be left out."""
    for target in targets:
        table, dead_letters = target.table, target.dead_letter_table
        writer = {"writer": f"{job}/{target.name}"}
        if target.is_tracked and _has(
            client, f"{table} WHERE inserted_by = {{writer:String}}", writer
        ):
            raise JobError(
                f"topic {', '.join(names)}: was recreated, and {table} holds records of the "
                "earlier one; empty it (TRUNCATE TABLE), or write as another: "
                "'table (columns) AS name'."
            )
        for name in names if dead_letters else ():
            if _has(client, f"{dead_letters} WHERE topic = {{topic:String}}", {"topic": name}):
                raise JobError(
                    f"topic {name}: was recreated, and {dead_letters} holds records of the earlier "
                    f"one; remove them (DELETE FROM {dead_letters} WHERE topic = '{name}')."
                )


def _has(client: Client, rows: str, parameters: Mapping[str, str]) -> bool:
    return bool(client.query(f"SELECT 1 FROM {rows} LIMIT 1", dict(parameters)).result_rows)


def _read(file: Path) -> dict[str, str]:
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}
