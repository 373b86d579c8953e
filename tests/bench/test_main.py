"""The command line of the benchmarks, without a stack."""

import json
from contextlib import nullcontext
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from bench import __main__ as program
from bench import failures
from bench.contenders import BASELINE, CONTENDERS, OURS
from bench.sizes import QUICK
from jobs.sql_tests import own_stack
from tests.bench.test_report import RUN


def test_contenders_have_names_of_their_own_and_ours_and_the_baseline_are_among_them() -> None:
    names = [one.name for one in CONTENDERS]
    assert len({*names}) == len(names) and {OURS, BASELINE, *program.IN_QUICK} <= {*names}


def test_some_contenders_can_be_chosen() -> None:
    assert [one.name for one in program.chosen(["loop"], False)] == ["loop"]
    assert {one.name for one in program.chosen([], True)} == {*program.IN_QUICK}
    assert program.chosen([], False) == [*CONTENDERS]
    with pytest.raises(click.UsageError, match="sparkle is no contender; known: millrace, "):
        program.chosen(["sparkle"], False)


@pytest.mark.parametrize(
    ("arguments", "fact"),
    [
        (["growth", "--only", "loop"], "nothing of that can be measured"),
        (["drain", "--only", "sparkle"], "sparkle is no contender"),
        (["drain", "--ticks", "0"], "0 is not in the range"),
        (["drain", "--rounds", "-1"], "-1 is not in the range"),
        (["drain", "--json", "/"], "is a directory"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_starts(
    arguments: list[str], fact: str
) -> None:
    ended = CliRunner().invoke(program.main, arguments)
    assert ended.exit_code == 2 and fact in ended.output


def test_a_run_that_is_interrupted_keeps_what_it_has_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def measured(*_: object) -> None:
        into = _[-1]
        assert isinstance(into, dict)
        into["x"] = 1

    def interrupted(*_: object) -> None:
        raise SystemExit(130)

    monkeypatch.setattr(own_stack, "running", nullcontext)
    monkeypatch.setattr(program, "console", Console(width=1_000))
    file = tmp_path / "run.json"
    monkeypatch.setattr(program, "SECTIONS", {"drain": interrupted, "latency": interrupted})
    with pytest.raises(SystemExit):
        program.measure({"date": "2026-11-27"}, ["drain"], [], QUICK, file)
    assert not file.exists() and "nothing was measured, nor stored" in capsys.readouterr().out
    monkeypatch.setattr(program, "SECTIONS", {"drain": measured, "latency": interrupted})
    with pytest.raises(SystemExit):
        program.measure({"date": "2026-11-27"}, ["drain", "latency"], [], QUICK, file)
    assert json.loads(file.read_text())["drain"] == {"x": 1}
    assert f"stored in {file}" in capsys.readouterr().out


def test_the_ratios_to_the_baseline_are_shown() -> None:
    assert [*program.ratios(RUN)] == ["millrace: 1.70 of the loop's rate, 1.38 of its cost"]
    assert [*program.ratios({"latency": {}})] == []


def test_a_failure_is_noted_and_the_others_go_on() -> None:
    run: dict[str, dict[str, object]] = {"drain": {}}
    with failures.failures("loop", run["drain"]):
        raise click.ClickException("it ended")
    assert failures.noted(run | {"note": ""}) == ["loop: it ended"]
