"""`python -m jobs dead-letters`: the dead letters by reason, and single ones in full."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from jobs.dead_letters import selection
from jobs.dead_letters.selection import Selection
from lib import clickhouse
from lib.settings import Settings

_GROUPS = """
SELECT
    count() AS dead_letters,
    stage,
    kind,
    min(kafka_timestamp) AS first,
    max(kafka_timestamp) AS last,
    argMax((topic, kafka_partition, kafka_offset, reason), (kafka_timestamp, kafka_offset))
FROM {database}.dead_letter_kinds
WHERE {condition}
GROUP BY stage, kind
ORDER BY dead_letters DESC, stage, kind
"""
_NEWEST = """
SELECT
    topic, kafka_partition, kafka_offset, kafka_timestamp, stage, reason, has_record,
    base64Encode(`key`) AS `key`, base64Encode(value) AS value, inserted_by, inserted_at
FROM {database}.dead_letters FINAL
WHERE {condition}
ORDER BY kafka_timestamp DESC, topic, kafka_partition DESC, kafka_offset DESC
LIMIT {{count:UInt32}}
"""


def run(config: Settings, selected: Selection, show: int | None, as_json: bool) -> None:
    """Show the selected dead letters by reason, or the newest of them in full."""
    with clickhouse.explained(config.clickhouse):
        rows = _newest(config, selected, show) if show else _groups(config, selected)
    if as_json:
        print(json.dumps(rows, indent=2, default=_time))
        return
    console = Console(highlight=False, soft_wrap=True, markup=False)
    if not rows:
        console.print("no dead letters")
    elif show:
        for row in rows:
            console.print(*_lines(row), sep="\n", end="\n\n")
    else:
        width = len(f"{rows[0]['dead_letters']:,}")
        for row in rows:
            console.print(*_group(row, width), sep="\n")
        console.print(f"{sum(row['dead_letters'] for row in rows):,} dead letters")


def _groups(config: Settings, selected: Selection) -> list[dict[str, Any]]:
    places = ("topic", "kafka_partition", "kafka_offset", "reason")
    names = ("dead_letters", "stage", "kind", "first", "last")
    rows = _query(config, _GROUPS, selected)
    return [
        {
            **dict(zip(names, row[:-1], strict=True)),
            "example": dict(zip(places, row[-1], strict=True)),
        }
        for row in rows
    ]


def _newest(config: Settings, selected: Selection, count: int) -> list[dict[str, Any]]:
    names = (
        "topic", "kafka_partition", "kafka_offset", "kafka_timestamp", "stage", "reason",
        "has_record", "key_base64", "value_base64", "inserted_by", "inserted_at",
    )  # fmt: skip
    rows = _query(config, _NEWEST, selected, {"count": count})
    return [dict(zip(names, row, strict=True)) for row in rows]


def _query(
    config: Settings, sql: str, selected: Selection, more: Mapping[str, int] | None = None
) -> Sequence[Sequence[Any]]:
    text = sql.format(database=config.clickhouse.database, condition=selected.condition)
    parameters = {**selected.parameters, **(more or {})}
    return selection.reader(config).query(text, parameters).result_rows


def _group(row: Mapping[str, Any], width: int) -> Iterator[Text]:
    """The lines of a group; its number has this width."""
    example = row["example"]
    indent = " " * (width + 2)
    count = Text(f"{row['dead_letters']:>{width},}", "bold")
    yield Text.assemble(count, f"  {row['stage']}: {shown(row['kind'])}")
    if example["reason"] != row["kind"]:
        yield Text(f"{indent}{shown(example['reason'])}")
    yield Text(f"{indent}{_place(example)}; {_time(row['first'])} to {_time(row['last'])}", "dim")


def _lines(row: Mapping[str, Any]) -> Iterator[str]:
    yield f"{_place(row)}, {_time(row['kafka_timestamp'])}"
    yield f"  {row['stage']}: {shown(row['reason'])}"
    for name in ("key", "value"):
        yield f"  {name}: {_content(row[f'{name}_base64'], has_record=row['has_record'])}"


def _place(row: Mapping[str, Any]) -> str:
    return f"{row['topic']}, partition {row['kafka_partition']}, offset {row['kafka_offset']}"


def _content(encoded: str | None, *, has_record: bool) -> str:
    """The bytes as text, or in Base64 if they are not UTF-8."""
    if encoded is None:
        return "none" if has_record else "not read from Kafka yet"
    try:
        return shown(base64.b64decode(encoded).decode()) or "empty"
    except UnicodeDecodeError:
        return f"Base64: {encoded}"


def shown(text: str) -> str:
    """A text with each character escaped that a terminal would interpret or not show."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def _time(time: datetime) -> str:
    """A time of ClickHouse, which is in UTC."""
    return f"{time.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
