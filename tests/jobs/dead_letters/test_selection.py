"""The time that `--since` names, and the dead letters that `--where` selects."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from clickhouse_connect.driver.client import Client

from jobs import job as jobs
from jobs.dead_letters import selection
from lib import conf
from lib.errors import JobError
from tests.api.dead_letters import add_dead_letter

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("30m", NOW - timedelta(minutes=30)),
        ("2h", NOW - timedelta(hours=2)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-11-26T10:00", datetime(2026, 11, 26, 10, tzinfo=UTC)),
        ("2026-11-26", datetime(2026, 11, 26, tzinfo=UTC)),
        ("2026-11-26T10:00+02:00", datetime(2026, 11, 26, 10, tzinfo=timezone(timedelta(hours=2)))),
    ],
)
def test_a_moment_is_so_long_ago_or_a_time(text: str, moment: datetime) -> None:
    assert selection.moment(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "2 h", "1w", "-1h", "yesterday", "26.11.2026"])
def test_another_text_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError):
        selection.moment(text, NOW)


def places(where: str) -> list[tuple[int, int]]:
    config = conf.load()
    job = jobs.load(config, "stocks")
    (call,) = (call for call in job.calls if call.target.dead_letters)
    return [*selection.places(config, job, call, where)]


def test_a_condition_selects_among_what_the_insert_can_replay(letters: Client) -> None:
    add_dead_letter(letters, 5, "price: missing", kafka_partition=1)
    add_dead_letter(letters, 7, "price: missing")
    add_dead_letter(letters, 3, "volume: missing")
    add_dead_letter(letters, 11, "price: missing", topic="orders")
    add_dead_letter(letters, 12, "price: missing", inserted_by="others/ticks")
    add_dead_letter(letters, 13, "price: missing", has_record=False)
    add_dead_letter(letters, 14, "price: missing", replayed_at=NOW)
    assert places("true") == [(0, 3), (0, 7), (1, 5)]
    assert places("reason LIKE 'price: %' -- only these") == [(0, 7), (1, 5)]
    assert places("topic = 'orders') OR (topic = 'orders'") == []


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("volume > 3", "volume"),
        ("reason LIKE", "Syntax error"),
        ("(SELECT count() FROM stocks.nothing) = 0", "nothing"),
        ("1; DROP TABLE stocks.ticks", ""),
        ("topic IN (SELECT * FROM file('/etc/passwd'))", ""),
    ],
)
def test_a_condition_that_clickhouse_refuses_is_an_error_of_the_option(
    letters: Client, condition: str, words: str
) -> None:
    with pytest.raises(JobError) as error:
        places(condition)
    assert str(error.value).startswith(f"--where {condition!r}: ClickHouse refuses it: ")
    assert words in str(error.value)
    assert letters.command("EXISTS TABLE stocks.ticks") == 1
