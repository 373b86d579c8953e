"""Delays count from when ticks were due to when a query showed them."""

from pathlib import Path

import numpy as np
import pytest

from bench import delays
from bench.delays import Sent

# Ten ticks a second for ten seconds in one partition, and one at the end in another.
DUE = np.arange(100) / 10
SENT = Sent([1_000, 0], [DUE, np.array([9.9])], np.array([0.0, 0.002]))


def test_a_tick_is_visible_as_soon_as_an_offset_not_below_its_own_is() -> None:
    seen = ([1.0, 2.0], [1_004, 1_019])
    found = delays.delays(1_000, DUE[:21], seen)
    assert found[:6].tolist() == pytest.approx([1.0, 0.9, 0.8, 0.7, 0.6, 1.5])
    assert found[19] == pytest.approx(0.1) and np.isinf(found[20])


def test_quantiles_leave_out_the_warm_up_and_what_was_not_visible() -> None:
    # Each is visible after 50 ms, but one after a second, one never, and those of the warm-up late.
    times = DUE + 0.05
    times[:20] = 5.0
    times = np.maximum.accumulate(times)
    seen = {0: ([*times[:99]], [*range(1_000, 1_099)]), 1: ([10.9], [0])}
    found = delays.figures(SENT, seen)
    assert found["ticks"] == 81 and found["not_visible"] == 1
    assert found["p999_ms"] == pytest.approx(3_000, abs=200)
    assert found["p50_ms"] == 50.0 and found["sent_late_p99_ms"] == 2.0


def test_nothing_visible_has_no_quantile() -> None:
    found = delays.figures(SENT, {})
    assert found["p50_ms"] is None and found["not_visible"] == found["ticks"] == 81


def test_what_the_load_notes_can_be_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", first=[1_000, 0], late=SENT.late, due0=SENT.due[0], due1=[9.9])
    read = delays.read(tmp_path / "a.npz")
    assert read.first == [1_000, 0] and read.ends == [1_100, 1]
    assert delays.figures(read, {}) == delays.figures(SENT, {})
