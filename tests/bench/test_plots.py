"""The charts of a stored run, as data."""

import pytest

from bench import plots
from tests.bench.test_report import RUN


def test_contenders_are_drawn_from_the_slowest_to_the_fastest() -> None:
    rates, costs = plots.drain(RUN)
    assert rates["yAxis"]["data"] == ["loop", "millrace"]
    assert rates["series"][0]["data"] == [100_000, 170_000]
    assert [series["name"] for series in costs["series"]] == ["its own", "broker", "clickhouse"]
    assert costs["series"][0]["data"] == [5.0, 8.0]
    assert {series["stack"] for series in costs["series"]} == {"all"}


def test_a_delay_is_drawn_at_its_rate() -> None:
    p50, p99 = plots.latency(RUN)
    assert p50["series"][0]["data"] == [("1,000", 50.0)]
    assert p99["series"][0]["data"] == [("1,000", 200.0)]


def test_endpoints_are_drawn_by_size_and_answers_by_clients() -> None:
    sizes, clients = plots.api(RUN)
    assert sizes["xAxis"]["data"] == ["1", "10"]
    assert [series["data"] for series in sizes["series"]] == [[("1", 3.04)], [("10", 1_200.0)]]
    assert [series["data"] for series in clients["series"]] == [[("500", 1_500.4)], [("500", 0.0)]]


def test_each_case_of_growth_is_drawn() -> None:
    rates, delays = plots.growth(RUN)
    assert rates["yAxis"]["data"] == ["1 partition"] and rates["series"][0]["data"] == [90_000]
    assert [series["data"] for series in delays["series"]] == [[40.0], [90.0]]


@pytest.mark.parametrize("name", ["drain", "latency", "growth"])
def test_a_section_in_which_all_have_failed_is_an_empty_plot(name: str) -> None:
    run = {name: {"failures": ["loop: it ended"], "rates": [1_000]}}
    assert plots.CHARTS[name](run)
