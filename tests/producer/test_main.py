"""The command without a broker; tests/e2e/test_producer.py has one."""

from pathlib import Path

import pytest

from lib import conf
from lib.errors import MillraceError, ReplayError, SettingsError
from producer.__main__ import run
from producer.clock import Clock
from producer.options import Options


@pytest.fixture
def stopped() -> Clock:
    clock = Clock()
    clock.stop()
    return clock


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (Options(speed="10"), SettingsError),
        (Options(rate=0.0), SettingsError),
        (Options(symbols="aapl"), SettingsError),
        (Options(replay=Path("none.csv")), ReplayError),
        (Options(replay=Path("none.csv"), speed="fast"), ReplayError),
    ],
)
def test_all_options_are_checked_before_it_connects(
    options: Options, error: type[MillraceError], stopped: Clock
) -> None:
    with pytest.raises(error):
        run(options, conf.load(environ={}), stopped)


def test_a_signal_before_kafka_answers_ends_it(
    stopped: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(Options(), conf.load(environ={}), stopped) == 0
    assert capsys.readouterr().err == "stopped before Kafka answered: sent 0 ticks.\n"
