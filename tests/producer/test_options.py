"""The command line: options without effect are refused in one line."""

from pathlib import Path

import pytest

from lib.errors import SettingsError
from lib.pattern import Pattern
from producer.options import Options

KNOWN = {"AAPL": 190.0, "MSFT": 405.0}
PATTERN = Pattern("[A-Z0-9.-]{1,16}")


def test_symbols_come_from_the_settings() -> None:
    assert Options().prices(KNOWN, PATTERN) == KNOWN
    assert Options(symbols="MSFT, BRK.B").prices(KNOWN, PATTERN) == {"MSFT": 405.0, "BRK.B": 100.0}


@pytest.mark.parametrize("symbols", ["", "aapl", "AAPL,", "A" * 17, "A B"])
def test_an_invalid_symbol_is_shown(symbols: str) -> None:
    with pytest.raises(SettingsError, match=r"--symbols: '.*' does not match \[A-Z.*; rename it"):
        Options(symbols=symbols).prices(KNOWN, PATTERN)


def test_invalid_symbols_in_the_settings_name_the_setting() -> None:
    with pytest.raises(SettingsError, match=r"conf/millrace.yaml: producer.symbols: 'x'"):
        Options().prices({"x": 1.0}, PATTERN)
    with pytest.raises(SettingsError, match=r"conf/millrace.yaml: producer.symbols: ''"):
        Options().prices({}, PATTERN)


def test_symbols_match_the_pattern_of_the_settings() -> None:
    assert list(Options(symbols="^GSPC,BF/B").prices(KNOWN, Pattern("[A-Z^/]+"))) == [
        "^GSPC",
        "BF/B",
    ]


def test_rate() -> None:
    assert Options().ticks_per_second(2.0) == 2.0
    assert Options(rate=0.1).ticks_per_second(2.0) == 0.1
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(SettingsError, match=r"--rate: .* give a number above 0"):
            Options(rate=wrong).ticks_per_second(2.0)


def test_speed() -> None:
    assert Options().replay_speed() == Options(speed="1").replay_speed() == 1.0
    assert Options(speed="0.5").replay_speed() == 0.5
    assert Options(speed="max").replay_speed() is None
    for wrong in ("0", "-1", "nan", "inf", "fast", ""):
        with pytest.raises(SettingsError, match=r"--speed: .* or max"):
            Options(speed=wrong).replay_speed()


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        (Options(speed="10"), "--speed: has no effect on the fake market; add --replay"),
        (Options(skip_invalid=True), "--skip-invalid: has no effect on the fake market"),
        (Options(rate=1.0, replay=Path("x")), "--rate: has no effect on a recording; leave"),
        (Options(seed=0, replay=Path("x")), "--seed: has no effect on a recording"),
        (Options(symbols="A", replay=Path("x")), "--symbols: has no effect on a recording"),
    ],
)
def test_options_without_effect_are_refused(options: Options, fact: str) -> None:
    with pytest.raises(SettingsError, match=fact):
        options.check()


def test_options_that_go_together() -> None:
    Options(rate=1.0, seed=1, symbols="A", count=5).check()
    Options(replay=Path("x"), speed="max", skip_invalid=True, count=5).check()
