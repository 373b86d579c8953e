"""The command line: options without effect are refused in one line."""

from pathlib import Path

import pytest

from lib import settings
from lib.errors import SettingsError
from lib.pattern import Pattern
from producer import options
from producer.options import Options

KNOWN = {"AAPL": 190.0, "MSFT": 405.0}
PATTERN = Pattern("[A-Z0-9.-]{1,16}")
PRODUCER = settings.Producer(symbols=KNOWN, rate=2.0, seed=None)


def test_symbols_come_from_the_settings() -> None:
    assert options.prices(None, KNOWN, PATTERN) == KNOWN
    assert options.prices("MSFT, BRK.B", KNOWN, PATTERN) == {"MSFT": 405.0, "BRK.B": 100.0}


@pytest.mark.parametrize("given", ["", "aapl", "AAPL,", "A" * 17, "A B"])
def test_a_wrong_symbol_is_shown(given: str) -> None:
    with pytest.raises(SettingsError, match=r"--symbols: '.*' does not match \[A-Z.*; rename it"):
        options.prices(given, KNOWN, PATTERN)


def test_wrong_symbols_in_the_settings_are_named_there() -> None:
    with pytest.raises(SettingsError, match=r"conf/millrace.yaml: producer.symbols: 'x'"):
        options.prices(None, {"x": 1.0}, PATTERN)
    with pytest.raises(SettingsError, match=r"conf/millrace.yaml: producer.symbols: ''"):
        options.prices(None, {}, PATTERN)


def test_symbols_are_what_the_setting_says() -> None:
    assert list(options.prices("^GSPC,BF/B", KNOWN, Pattern("[A-Z^/]+"))) == ["^GSPC", "BF/B"]


def test_rate() -> None:
    assert options.rate(None, PRODUCER) == 2.0
    assert options.rate(0.1, PRODUCER) == 0.1
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(SettingsError, match=r"--rate: .* give a number above 0"):
            options.rate(wrong, PRODUCER)


def test_speed() -> None:
    assert options.speed(None) == options.speed("1") == 1.0
    assert options.speed("0.5") == 0.5
    assert options.speed("max") is None
    for wrong in ("0", "-1", "nan", "inf", "fast", ""):
        with pytest.raises(SettingsError, match=r"--speed: .* or max"):
            options.speed(wrong)


@pytest.mark.parametrize(
    ("asked", "fact"),
    [
        (Options(speed="10"), "--speed: has no effect on the fake market; add --replay"),
        (Options(skip_invalid=True), "--skip-invalid: has no effect on the fake market"),
        (Options(rate=1.0, replay=Path("x")), "--rate: has no effect on a recording; leave"),
        (Options(seed=0, replay=Path("x")), "--seed: has no effect on a recording"),
        (Options(symbols="A", replay=Path("x")), "--symbols: has no effect on a recording"),
    ],
)
def test_options_without_effect_are_refused(asked: Options, fact: str) -> None:
    with pytest.raises(SettingsError, match=fact):
        asked.check()


def test_options_that_go_together() -> None:
    Options(rate=1.0, seed=1, symbols="A", count=5).check()
    Options(replay=Path("x"), speed="max", skip_invalid=True, count=5).check()
