from jobs.kafka.deleted_records import LostRecords
from jobs.run import status
from jobs.run.status import JobStatus
from tests.jobs.run.support import Rest


def test_a_line_shows_rates_since_an_earlier_status() -> None:
    before = JobStatus(10.0, "RUNNING", records=1000, rows=500)
    lags = {("t", 0): 1200, ("t", 1): 34}
    now = JobStatus(12.0, "RUNNING", records=3400, rows=50_000, lags=lags, checkpoint_age=3.6)
    assert now.line(before) == (
        "RUNNING  in 1,200/s  inserted 24,750/s (50,000 rows)  lag 1,234  checkpoint 4 s ago"
    )
    assert now.line(None).startswith("RUNNING  in ?/s  inserted ?/s (50,000 rows)")
    assert "lag ?  checkpoint none yet" in before.line(before)


def test_a_line_shows_the_known_lag_and_how_many_partitions_are_unknown() -> None:
    lags: dict[tuple[str, int], int | None] = {("t", 0): 1200, ("t", 1): None, ("t", 2): 34}
    line = JobStatus(1.0, "RUNNING", lags=lags).line(None)
    assert "  lag 1,234 (not known of 1 of 3 partitions)  checkpoint " in line
    assert "  lag ?  " in JobStatus(1.0, "RUNNING", lags={("t", 0): None}).line(None)


def test_a_line_shows_how_many_records_were_lost() -> None:
    lost = [LostRecords("t", 0, 10, 59), LostRecords("t", 3, 2_000, 2_999)]
    assert (
        JobStatus(1.0, "RUNNING", lost=lost).line(None).endswith("checkpoint none yet  lost 1,050")
    )


def test_a_line_shows_records_that_are_not_accounted_for() -> None:
    line = JobStatus(1.0, "RUNNING", uncollected=1_050).line(None)
    assert line.endswith("checkpoint none yet  not accounted for 1,050")


def test_counts_that_begin_again_make_no_negative_rate() -> None:
    before, now = (
        JobStatus(1.0, "RUNNING", records=50, rows=50),
        JobStatus(2.0, "RUNNING", records=5),
    )
    assert now.line(before).startswith("RUNNING  in 0/s  inserted 0/s (0 rows)")


def test_a_status_has_what_flink_reports() -> None:
    job = status.read(Rest("RUNNING"))
    assert (job.state, job.records, job.rows) == ("RUNNING", 10, 8)
    assert job.positions == {("t", 0): 9}
    assert job.checkpoint_age is None
