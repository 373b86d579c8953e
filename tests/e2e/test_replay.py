"""Dead letters that are valid under a rule that was relaxed: replayed, stored once, and marked."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.e2e.support import ROOT, Place, Tick, tick, ticks, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

RULE = "200_view_checked_ticks.sql"
WHOLE = "\n                AND CAST(volume AS DOUBLE) = FLOOR(CAST(volume AS DOUBLE))"
BROKEN = ["{", "[]", json.dumps([tick(1), tick(2)])]
HALVES = 40
STAGED = "SELECT total_rows FROM system.tables WHERE match(name, '^replay_stocks_.*_rows_')"


def half(number: int) -> Tick:
    """A tick that only the relaxed rule takes."""
    return tick(number) | {"volume": number + 0.5}


def relaxed(folder: Path) -> Path:
    """A copy of sql/ in which a volume need not be whole."""
    copy = shutil.copytree(ROOT / "sql", folder / "sql")
    rule = copy / "flink" / "stocks" / RULE
    text = rule.read_text()
    assert text.count(WHOLE) == 1
    rule.write_text(text.replace(WHOLE, ""))
    return copy


def collected(place: Place) -> int:
    """How many records the job has accounted for."""
    table = f"stocks.collected_offsets FINAL WHERE topic = '{place.topic}'"
    return int(place.ask(f"SELECT sum(collected_to) FROM {table}")[0][0])


def leftovers(place: Place) -> list[str]:
    """The tables and topics of replays."""
    tables = place.ask("SELECT name FROM system.tables WHERE name LIKE 'replay%'")
    topics = place.admin().list_topics(timeout=90).topics
    return [name for (name,) in tables] + [name for name in topics if name.startswith("replay")]


def test_what_the_rules_take_now_is_stored_once_and_marked(place: Place) -> None:
    bad = [tick(7) | {"price": 0}] * 3
    place.send([*ticks(100, 200), *map(half, range(HALVES)), *bad, *BROKEN])
    job = place.run_job()
    place.wait_count(100)
    count = HALVES + len(bad) + len(BROKEN)
    wait_until(lambda: collected(place) == 100 + count, "all is accounted for")
    assert place.dead_letters("has_record") == count
    now = place.having(SQL_DIR=relaxed(place.folder))
    replay = ("jobs", "replay-dead-letters", "stocks")
    wrong = now.run(*replay, "--where", "volume > 3").error
    assert "--where 'volume > 3': ClickHouse refuses it: " in wrong

    # One that is killed as soon as Flink has written rows is completed by the next, which removes
    # what it left.
    killed = now.start(*replay)
    wait_until(lambda: any(rows for (rows,) in place.ask(STAGED)), "replayed rows")
    killed.kill()
    place.make_topic("replay_stocks_0a1b2c3d")
    ended = now.run(*replay)
    assert ended.code == 0, ended.err
    # Those that the killed one has marked are not selected again.
    assert re.search(r"\d+ stored, 4 still refused, 2 not readable$", ended.out), ended.out
    stored = place.ask("SELECT count(), uniqExact(kafka_partition, kafka_offset) FROM stocks.ticks")
    assert stored == [[100 + HALVES] * 2]
    assert place.dead_letters("replayed_at IS NOT NULL") == HALVES
    assert place.dead_letters("replayed_at IS NULL") == len(bad) + len(BROKEN)
    assert leftovers(place) == []
    values = place.ask(
        "SELECT DISTINCT t.volume - JSONExtractFloat(d.value, 'volume'), t.inserted_by,"
        " t.kafka_timestamp = d.kafka_timestamp, position(d.reason, 'volume: ')"
        " FROM stocks.ticks AS t INNER JOIN stocks.dead_letters AS d FINAL"
        " USING (kafka_partition, kafka_offset)"
        f" WHERE d.topic = '{place.topic}'"
    )
    assert values == [[-0.5, "stocks/ticks", 1, 1]]
    # The job goes on, and each record of the topic is accounted for.
    place.send(ticks(200, 210))
    place.wait_count(110 + HALVES)
    place.stop_job(job)
    audit = now.run("jobs", "audit", "stocks")
    assert audit.code == 0, audit.out
    again = now.run(*replay, "--where", f"topic = '{place.topic}' AND stage = 'sink'")
    assert again.out.endswith(" 0 dead letters to replay"), again.out
