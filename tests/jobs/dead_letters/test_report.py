"""`python -m jobs dead-letters`, on a real ClickHouse."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from clickhouse_connect.driver.client import Client

from jobs.__main__ import main
from jobs.dead_letters.report import shown
from tests.api.dead_letters import add_dead_letter

WHOLE = "volume: '12.7' is not a whole number from 0 to 4294967295"


def run(*options: str) -> str:
    """The output of the command, which must succeed."""
    ended = CliRunner().invoke(main, ["dead-letters", *options])
    assert ended.exit_code == 0, ended.output
    return ended.output


def test_none_are_no_error_and_replayed_ones_do_not_count(letters: Client) -> None:
    assert run() == "no dead letters\n"
    add_dead_letter(letters, 1, WHOLE, replayed_at=datetime.now(UTC))
    assert run("--show", "1") == "no dead letters\n"
    assert json.loads(run("--json")) == []


def test_they_are_grouped_by_reason_with_an_example(letters: Client) -> None:
    for offset in range(3):
        add_dead_letter(letters, offset, WHOLE.replace("12.7", f"{offset}.7"))
    add_dead_letter(letters, 9, "no value (a tombstone)", stage="parse", kafka_partition=2)
    rule = "volume: … is not a whole number from 0 to 4294967295"
    midnight = "2024-01-30T00:00"
    assert run().splitlines() == [
        f"3  rule: {rule}",
        f"   {WHOLE.replace('12.7', '2.7')}",
        f"   stock-ticks, partition 0, offset 2; {midnight}:00.000Z to {midnight}:02.000Z",
        "1  parse: no value (a tombstone)",
        f"   stock-ticks, partition 2, offset 9; {midnight}:09.000Z to {midnight}:09.000Z",
        "4 dead letters",
    ]
    first, _ = json.loads(run("--json"))
    assert (first["dead_letters"], first["stage"], first["kind"]) == (3, "rule", rule)
    assert first["example"]["kafka_offset"] == 2
    assert first["last"] == "2024-01-30T00:00:02.000Z"


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--stage", "sink"], 1),
        (["--topic", "orders"], 1),
        (["--since", "1h"], 2),
        (["--since", "2024-01-30T00:00:02Z"], 3),
        (["--since", "1h", "--stage", "rule", "--topic", "stock-ticks"], 0),
        (["--topic", "' OR 1"], 0),
    ],
)
def test_options_select(letters: Client, options: list[str], count: int) -> None:
    recent: dict[str, Any] = {"kafka_timestamp": datetime.now(UTC) - timedelta(minutes=1)}
    add_dead_letter(letters, 1, WHOLE)
    add_dead_letter(letters, 2, WHOLE)
    add_dead_letter(letters, 3, "refused", stage="sink", **recent)
    add_dead_letter(letters, 4, WHOLE, topic="orders", **recent)
    assert sum(row["dead_letters"] for row in json.loads(run("--json", *options))) == count


def test_the_newest_are_shown_whole(letters: Client) -> None:
    add_dead_letter(letters, 1, WHOLE)
    add_dead_letter(letters, 2, "not UTF-8: byte 0 is 0xff", stage="parse", key=None, value=b"\xff")
    add_dead_letter(letters, 3, WHOLE, key=b"", value=b"\x1b[31m{\n" + b"x" * 300)
    add_dead_letter(letters, 4, WHOLE, key=None, value=None, has_record=False)
    assert run("--show", "3").splitlines() == [
        "stock-ticks, partition 0, offset 4, 2024-01-30T00:00:04.000Z",
        f"  rule: {WHOLE}",
        "  key: not read from Kafka yet",
        "  value: not read from Kafka yet",
        "",
        "stock-ticks, partition 0, offset 3, 2024-01-30T00:00:03.000Z",
        f"  rule: {WHOLE}",
        "  key: empty",
        f"  value: \\x1b[31m{{\\n{'x' * 300}",
        "",
        "stock-ticks, partition 0, offset 2, 2024-01-30T00:00:02.000Z",
        "  parse: not UTF-8: byte 0 is 0xff",
        "  key: none",
        "  value: Base64: /w==",
        "",
    ]
    (newest,) = json.loads(run("--show", "1", "--json"))
    assert (newest["kafka_offset"], newest["value_base64"]) == (4, None)


def test_a_wrong_time_is_refused(letters: Client) -> None:
    ended = CliRunner().invoke(main, ["dead-letters", "--since", "yesterday"])
    assert ended.exit_code == 2
    assert "'yesterday': write 30m, 2h or 7d, or a time such as" in ended.output


def test_a_terminal_gets_no_sign_that_it_acts_on() -> None:
    assert shown("a\x1b[2J\u202eb\u0007 Zoë 🙂") == r"a\x1b[2J\u202eb\x07 Zoë 🙂"
