import pytest

from producer.clock import Clock
from tests.conftest import FakeTime


def test_a_sleep_lasts_as_long_as_requested(monkeypatch: pytest.MonkeyPatch) -> None:
    time = FakeTime()
    monkeypatch.setattr("lib.signals.time", time)
    monkeypatch.setattr("producer.clock.time", time)
    clock = Clock()
    clock.sleep(0.15)
    assert clock.now() == pytest.approx(0.15)
