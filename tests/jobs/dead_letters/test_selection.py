"""The time that `--since` names."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from jobs.dead_letters import selection

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
