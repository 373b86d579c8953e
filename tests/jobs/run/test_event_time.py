"""When event time stands still, and when it only waits for records."""

from jobs.run.event_time import LIMIT, EventTime, has_watermark
from lib.sqlfiles import SqlFile

SOURCE = "CREATE TABLE a (t TIMESTAMP(3){}) WITH ('connector' = 'kafka', 'topic' = 'x')"


def seen(*steps: tuple[float, int | None, float]) -> str:
    """The notice after these times, watermarks and numbers of records."""
    event_time = EventTime()
    for now, watermark, event_time.records in steps:
        event_time.see(now, watermark)
    return event_time.notice


def test_a_watermark_that_stands_still_while_records_come_is_told() -> None:
    steps = [(now, 1_706_608_800_000, now) for now in (0.0, LIMIT - 1, LIMIT)]
    assert seen(*steps[:2]) == ""
    assert "stands still (at 2024-01-30 10:00:00) while records come" in seen(*steps)
    assert "(it has not begun)" in seen((0, None, 0), (LIMIT, None, 5))
    assert seen(*steps, (LIMIT + 1, 1_706_608_800_001, LIMIT + 1)) == ""


def test_a_silent_topic_or_a_restart_is_no_fault() -> None:
    assert seen((0, 1, 5), (1, 1, 6), (100, 1, 6), (200, 1, 6)) == ""
    assert seen((0, 1, 50), (LIMIT, 1, 0)) == ""


def test_only_a_source_with_a_watermark_has_event_time() -> None:
    def file(text: str) -> SqlFile:
        return SqlFile(100, "source", "a", "100.sql", text)

    assert has_watermark([file(SOURCE.format(", WATERMARK FOR t AS t"))])
    assert not has_watermark([file(SOURCE.format(" -- WATERMARK FOR t AS t\n"))])
