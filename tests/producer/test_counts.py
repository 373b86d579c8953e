from producer.counts import Counts


def test_ticks_without_an_outcome_wait_and_failed_ones_are_missing() -> None:
    counts = Counts(sent=1_234, acknowledged=1_200, failed=4)
    assert (counts.waiting, counts.missing) == (30, 34)
    assert counts.summary() == "sent 1,234 ticks, 1,200 acknowledged, 34 not acknowledged"
