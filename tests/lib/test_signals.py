import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lib import signals
from lib.signals import Signals
from tests.conftest import FakeTime


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    """The handlers of the tests themselves come back."""
    before = {number: signal.getsignal(number) for number in signals.STOPS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", signals.STOPS)
def test_a_signal_is_counted_and_ends_the_wait(number: signal.Signals) -> None:
    received = Signals()
    received.listen()
    assert not received.wait(0.01)
    timer = threading.Timer(0.2, os.kill, (os.getpid(), number))
    timer.start()
    assert received.wait(90)
    assert received.count == 1 and received.wait()
    timer.join()


def test_a_sleep_ends_with_the_next_signal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    received, clock = Signals(), FakeTime()
    received.add()
    sleep = clock.sleep

    def interrupted(seconds: float) -> None:
        sleep(seconds)
        if clock.now > 5:
            received.add()

    monkeypatch.setattr(signals, "time", clock)
    received.sleep(0.15)
    assert clock.now == pytest.approx(0.15)
    monkeypatch.setattr(clock, "sleep", interrupted)
    received.sleep(20)
    assert 5 < clock.now < 5.2 and received.count == 2


def test_a_sleep_lasts_as_long_as_requested() -> None:
    began = time.monotonic()
    Signals().sleep(0.15)
    assert time.monotonic() - began >= 0.15


@pytest.mark.parametrize(("ends", "code"), [(True, 128 + signal.SIGTERM), (False, 3)])
def test_a_second_signal_ends_the_process_at_once_if_requested(ends: bool, code: int) -> None:
    program = (
        "import os, signal, sys\n"
        "from lib.signals import Signals\n"
        "received = Signals()\n"
        f"received.listen(end_at_second={ends})\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
        "assert received.wait(90)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "received.sleep(0.01)\n"
        "sys.exit(3)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=150).returncode == code


def test_a_handler_gets_the_number() -> None:
    seen: list[int] = []
    signals.handle(seen.append)
    for number in signals.STOPS:
        os.kill(os.getpid(), number)
    assert seen == list(signals.STOPS)


def run_interrupted(body: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """A program that is interrupted in its body, says what it counted then, and ends with 0."""
    program = (
        "import os, signal\n"
        "from lib.signals import Signals\n"
        "received = Signals()\n"
        "received.interrupt(lambda: SystemExit(3))\n"
        f"{body}\n"
        "print(received.count)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=150, **options
    )


@pytest.mark.parametrize("number", signals.STOPS)
def test_a_signal_interrupts_even_if_the_parent_ignores_it(number: signal.Signals) -> None:
    def ignore() -> None:
        signal.signal(number, signal.SIG_IGN)

    ended = run_interrupted(f"os.kill(os.getpid(), {number:d})", preexec_fn=ignore)
    assert (ended.returncode, ended.stdout) == (3, "")


def test_a_signal_in_a_finalizer_is_counted() -> None:
    """Python drops the error that is raised there."""
    body = (
        "class Last:\n"
        "    def __del__(self):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "del [Last()][0]\n"
    )
    ended = run_interrupted(body)
    assert (ended.returncode, ended.stdout) == (0, "1\n"), ended.stderr
