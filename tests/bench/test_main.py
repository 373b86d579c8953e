"""The command line of the benchmarks, without a stack."""

import click
import pytest

from bench import __main__ as program
from bench import failures
from bench.contenders import BASELINE, CONTENDERS, OURS
from tests.bench.test_report import RUN


def test_contenders_have_names_of_their_own_and_ours_and_the_baseline_are_among_them() -> None:
    names = [one.name for one in CONTENDERS]
    assert len({*names}) == len(names) and {OURS, BASELINE, *program.IN_QUICK} <= {*names}


def test_some_contenders_can_be_chosen() -> None:
    assert [one.name for one in program.chosen(["loop"], False)] == ["loop"]
    assert {one.name for one in program.chosen([], True)} == {*program.IN_QUICK}
    assert program.chosen([], False) == [*CONTENDERS]
    with pytest.raises(click.ClickException, match="sparkle is no contender; known: millrace, "):
        program.chosen(["sparkle"], False)


def test_the_ratios_to_the_baseline_are_shown() -> None:
    assert [*program.ratios(RUN)] == ["millrace: 1.70 of the loop's rate, 1.38 of its cost"]
    assert [*program.ratios({"latency": {}})] == []


def test_a_failure_is_noted_and_the_others_go_on() -> None:
    run: dict[str, dict[str, object]] = {"drain": {}}
    with failures.failures("loop", run["drain"]):
        raise click.ClickException("it ended")
    assert failures.noted(run | {"note": ""}) == ["loop: it ended"]
