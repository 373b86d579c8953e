"""The figures of a drain, from the progress and the readings of a run."""

import pytest

from bench import rates
from bench.contenders import CONTENDERS
from bench.measure import Meter, Reading

# The first row comes 30 s after the start; half of the ticks take as long as the other half.
SAMPLES = [(130.0, 1), (131.0, 50_001), (132.0, 100_001), (134.0, 200_001)]


def reading(at: float, java: float, clickhouse: float) -> Reading:
    return Reading(at, {"java": java, "clickhouse": clickhouse}, {"java": 100 * java})


READINGS = [reading(100, 0, 5), reading(130, 20, 5), reading(132, 22, 6), reading(134, 24, 7)]


def test_a_rate_and_a_cost_leave_out_the_warm_up() -> None:
    meter = Meter({}, [*READINGS])
    settled = reading(140, 25, 7.5)
    found = rates.figures(SAMPLES, 200_000, 100.0, meter, READINGS[0], READINGS[-1], settled)
    assert found["first_row_s"] == 30.0 and found["drained_s"] == 34.0
    # From 40,000 ticks at 130.8 s on.
    assert found["rate"] == 50_000
    assert found["cpu_before_first_row_s"] == {"java": 20.0, "clickhouse": 0.0}
    # ClickHouse's half second of merges after the last row is part of the cost.
    assert found["cpu_per_million_s"] == {
        "clickhouse": round((7 - 5.4 + 0.5) / 0.16, 2),
        "java": round((24 - 20.8) / 0.16, 2),
    }
    assert found["memory_peak_mb"] == {"java": 2_400}


def test_of_a_slow_contender_a_fifth_of_what_it_has_done_is_the_warm_up() -> None:
    meter = Meter({}, [*READINGS])
    found = rates.figures(SAMPLES, 10**7, 100.0, meter, READINGS[0], READINGS[-1], READINGS[-1])
    assert found["rate"] == 50_000


def test_the_last_figure_of_flink_which_comes_late_is_left_out() -> None:
    by_progress = {one.progress: one for one in CONTENDERS}
    assert rates.exact(by_progress["flink"], [*SAMPLES]) == SAMPLES[:-1]
    assert rates.exact(by_progress["table"], [*SAMPLES]) == SAMPLES


def test_one_look_gives_no_rate() -> None:
    meter = Meter({}, [*READINGS])
    found = rates.figures(SAMPLES[:1], 1, 100.0, meter, READINGS[0], READINGS[1], READINGS[1])
    assert found["rate"] is None and found["cpu_per_million_s"] == {}


@pytest.mark.parametrize(
    ("count", "at"), [(1, 130.0), (25_001, 130.5), (150_001, 133.0), (200_001, 134.0)]
)
def test_a_moment_between_two_samples_is_in_proportion(count: int, at: float) -> None:
    assert rates.crossing(SAMPLES, count) == (at, count)
