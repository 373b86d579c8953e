"""The tables are those of a run, and docs/benchmarks.md shows the newest one that is stored."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from bench import goals, plots, report, tables
from tests.documents import last_run


def drained(rate: int, own: float) -> dict[str, Any]:
    return {
        "first_row_s": 4.0,
        "rows": 1_000,
        "is_complete": True,
        "rate": rate,
        "cpu_per_million_s": {"python": own, "broker": 1.0, "clickhouse": 2.0},
        "memory_peak_mb": {"python": 100, "clickhouse": 900},
    }


QUANTILES = {"p50_ms": 40.0, "p99_ms": 90.0}


def at_rate(p50: float) -> dict[str, Any]:
    quantiles = {"p50_ms": p50, "p99_ms": 200.0, "p999_ms": 300.0}
    return {"1000": quantiles | {"not_visible": 0, "cores": {"python": 0.5, "load": 0.1}}}


RUN = {
    "date": "2026-11-27T02:03:04+00:00",
    "commit": "abc",
    "cpu": "a processor",
    "cores": 2,
    "load_before": 0.1,
    "versions": {"python": "3.11"},
    "note": "",
    "contenders": {
        "loop": {"what": "a loop", "guarantee": "at least once", "missing": None},
        "go": {"what": "Go", "guarantee": "at least once", "missing": "no Go"},
    },
    "drain": {
        "contenders": {
            "millrace": [drained(150_000, 7.0), drained(240_000, 9.0), drained(170_000, 8.0)],
            "loop": [drained(100_000, 5.0), drained(120_000, 5.0), drained(100_000, 5.0)],
        }
    },
    "recovery": {
        "cold": [{"first_row_s": 20.0, "next_row_s": 9.0}],
        "warm": [{"first_row_s": 4.0, "next_row_s": 6.0}, {"first_row_s": 5.0, "next_row_s": 6.0}],
    },
    "footprint": {
        "installed_mb": {"packages": 1_000.2, "jars": 54.0, "made": 90.0, "tools": 300.0},
        "downloaded_mb": None,
        "at_rest_mb": {"kafka": 1_000.0, "flink": 2_000.0},
    },
    "api": {
        "millions": [1, 10],
        "endpoints": {
            "latest": {"1": {"api_ms": 3.04, "clickhouse_ms": 2.0, "added_ms": 1.0}},
            "recent": {"10": {"api_ms": 1_200.0, "clickhouse_ms": 1_199.0, "added_ms": 1.0}},
        },
        "clients": {
            "500": {
                "api": {"rate": 1_500.4, "p50_ms": 30.0, "p99_ms": 90.0, "failed": 0},
                "clickhouse": {"rate": 0.0, "p50_ms": None, "p99_ms": None, "failed": 1_000},
            }
        },
    },
    "growth": {"cases": {"1 partition": drained(90_000, 5.0) | {"latency": QUANTILES}}},
    "latency": {"rates": [1_000], "contenders": {"millrace": [at_rate(40.0), at_rate(60.0)]}},
}


def test_ratios_are_those_of_the_same_round() -> None:
    first, _, ours, loop = tables.drain(RUN).splitlines()
    assert first.startswith("| contender | ticks a second | by the loop |")
    assert ours.startswith(
        "| millrace | 170,000 (150,000 to 240,000) | 1.70 (1.50 to 2.00) | 4.0 (4.0 to 4.0) | all "
        "| 11.0 (10.0 to 12.0) | 8.0 (7.0 to 9.0) | 1.0 "
    )
    assert loop.startswith("| loop | 100,000 (100,000 to 120,000) | 1.00 (1.00 to 1.00) |")
    assert loop.endswith("| 100 (100 to 100) |")


def test_latency_is_shown_by_rate_without_the_cores_of_the_load() -> None:
    assert tables.latency(RUN).splitlines()[2] == (
        "| millrace | 1,000 | 50 (40 to 60) | 200 (200 to 200) | 300 (300 to 300) | 0 "
        "| 0.50 (0.50 to 0.50) |"
    )


def test_starts_sizes_and_cases_have_a_line_each() -> None:
    assert "| the same, warm | 4.5 (4.0 to 5.0) |" in tables.recovery(RUN)
    assert "| a demo, from its start to the first price | - |" in tables.recovery(RUN)
    assert "at rest (PSS): kafka 1,000, flink 2,000 | 3,000 |" in tables.footprint(RUN)
    assert "during a drain (RSS) | 1,000 |" in tables.footprint(RUN)
    assert "| downloaded | - |" in tables.footprint(RUN)
    assert tables.growth(RUN).splitlines()[2] == (
        "| 1 partition | 90,000 | 8.0 | 1,000 | 40 | 90 |"
    )


def test_the_api_has_a_line_per_endpoint_and_size_and_one_per_number_of_clients() -> None:
    sizes, clients = tables.api(RUN).split("\n\n")
    assert sizes.splitlines()[2:] == [
        "| latest | 1 | 3.0 | 2.0 | 1.0 |",
        "| recent | 10 | 1,200.0 | 1,199.0 | 1.0 |",
    ]
    assert clients.splitlines()[2:] == [
        "| 500 | the API | 1,500 | 30.0 | 90.0 | 0 |",
        "| 500 | ClickHouse alone | 0 | - | - | 1,000 |",
    ]


def test_a_goal_that_is_missed_is_shown_and_one_that_was_not_measured_is_left_out() -> None:
    lines = tables.reached(RUN).splitlines()[2:]
    assert lines == [
        "| drain, by the plain loop | at least 1.60 | 1.70 | yes |",
        "| drain, by the fastest peer in Python | at least 1 | 1.70 | yes |",
        "| cost of a tick, by the plain loop | at most 1.50 | 1.38 | yes |",
        "| p50 at 1,000 a second | at most 50 ms | 50 ms | yes |",
        "| p99 at 1,000 a second | at most 150 ms | 200 ms | **no** |",
        "| start of a job to its first row, warm | at most 10 s | 4.50 s | yes |",
        "| memory of the stack at rest | at most 2,500 MB | 3,000 MB | **no** |",
    ]


def test_a_limit_itself_reaches_a_goal() -> None:
    assert all(goal.is_reached(goal.limit) for goal in goals.GOALS)


def test_a_page_is_filled_again_with_the_same_run_without_a_change() -> None:
    page = report.PAGE.read_text(encoding="utf-8")
    filled = report.fill(page, RUN)
    assert all(of_run(RUN) in filled for name, of_run in report.TABLES.values() if name in RUN)
    assert report.NOTHING in filled
    assert report.fill(filled, RUN) == filled


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(click.ClickException, match="no <!-- machine --> with its end"):
        report.fill("# Benchmarks\n", RUN)


@pytest.mark.parametrize("benchmark", ["suite", "growth"])
def test_the_document_shows_the_newest_stored_run(benchmark: str) -> None:
    page = report.PAGE.read_text(encoding="utf-8")
    run = json.loads(last_run(benchmark).read_text(encoding="utf-8"))
    assert report.fill(page, run) == page


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("{", "not JSON"),
        ("[1]", "not a run"),
        ('{"growth": {"cases": {"a": 1}}}', "of another version of the benchmarks"),
    ],
)
@pytest.mark.parametrize("program", [report.main, plots.main])
def test_a_file_that_is_no_run_of_this_version_is_refused(
    tmp_path: Path, program: click.Command, text: str, fact: str
) -> None:
    file = tmp_path / "run.json"
    file.write_text(text)
    ended = CliRunner().invoke(program, [str(file)])
    assert ended.exit_code == 2 and fact in ended.output.replace("\n", " ")


def test_a_run_of_growth_and_another_section_is_not_of_growth_alone() -> None:
    alone = {"date": "2026-11-27", "contenders": {"a": 1}, "growth": {"cases": {"a": 1}}}
    assert report.is_alone(alone) and not report.is_alone(alone | {"api": {"millions": [1]}})


def test_a_run_with_nothing_to_draw_is_told(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text("{}")
    ended = CliRunner().invoke(plots.main, [str(file)])
    assert ended.exit_code == 2 and "there is nothing to draw" in ended.output


def test_a_file_that_is_no_whole_run_does_not_replace_the_page(tmp_path: Path) -> None:
    before = report.PAGE.read_text(encoding="utf-8")
    file = tmp_path / "run.json"
    file.write_text(json.dumps({"drain": RUN["drain"]}))
    ended = CliRunner().invoke(report.main, [str(file)])
    assert ended.exit_code == 2 and "has no machine, contenders, guarantees" in ended.output
    assert report.PAGE.read_text(encoding="utf-8") == before


def test_a_value_that_misses_its_goal_does_not_look_like_it() -> None:
    goal = goals.Goal("cost", 1.5, "", lambda _: None, is_lowest=False)
    assert goal.shown(1.5) == "1.50" and goal.shown(1.5042) == "1.5042"
    assert goal.shown(1.6) == "1.60"
