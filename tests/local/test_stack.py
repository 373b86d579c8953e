"""A server that does not start, and a stack that two stop: with a real supervisord."""

import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from lib import ports, settings
from lib.errors import ServiceError, SetupError, StoppingError
from local import stack
from local.__main__ import bring_up
from local.supervisor import Program, Supervisor
from tests.conftest import wait_until


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path)
    yield supervisor
    if supervisor.is_running():
        supervisor.shut_down()


def program(name: str, code: str, start_seconds: int = 1) -> Program:
    command = [sys.executable, "-c", code]
    return Program(name, command, 10, starts=True, stop_seconds=5, start_seconds=start_seconds)


@pytest.mark.parametrize(("seconds", "tries"), [(0, 4), (1.5, 1)])
def test_a_server_that_does_not_start_is_told_with_its_last_words(
    supervisor: Supervisor, tmp_path: Path, seconds: float, tries: int
) -> None:
    config = settings.load(environ={})
    nowhere = msgspec.structs.replace(config.clickhouse, port=ports.free(1)[0])
    config = msgspec.structs.replace(config, data_dir=tmp_path, clickhouse=nowhere)
    ends = f"import sys, time; time.sleep({seconds}); print('no room; mend.'); sys.exit(2)"
    # On a machine that stands still for a second, what ends at once would end later than that.
    clickhouse = program("clickhouse", ends, start_seconds=1 if seconds else 60)
    supervisor.launch([program("kafka", "input()"), clickhouse], attached=True)
    with pytest.raises(SetupError) as error:
        stack.wait(supervisor, config, lambda text: None)
    log = supervisor.log("clickhouse")
    assert str(error.value) == (
        f"clickhouse does not start: no room; mend. (the whole of it is in {log})"
    )
    # In its first second supervisord does not look at the code, 2, which says to leave it.
    assert len(log.read_text().splitlines()) == tries


def test_a_stack_that_another_stops_while_it_starts_is_not_waited_for(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    nowhere = msgspec.structs.replace(settings.load(environ={}).clickhouse, port=ports.free(1)[0])
    config = msgspec.structs.replace(
        settings.load(environ={}), data_dir=tmp_path, clickhouse=nowhere
    )
    waits = "import time; time.sleep(600)"
    supervisor.launch([program(name, waits) for name in stack.SERVERS], attached=True)

    def stop(said: str) -> None:
        if "clickhouse" in said:
            supervisor.shut_down()

    with pytest.raises(ServiceError, match=r"^the embedded stack does not run; start it with"):
        stack.wait(supervisor, config, stop)


def test_a_stack_that_is_being_stopped_says_so_and_may_be_stopped_again(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    config = msgspec.structs.replace(settings.load(environ={}), data_dir=tmp_path)
    may_end = tmp_path / "may end"
    script = tmp_path / "slow.py"
    script.write_text(
        "import signal, time\nfrom pathlib import Path\n"
        "signal.signal(signal.SIGTERM, lambda *_: None)\nprint('ready')\n"
        f"while not Path({str(may_end)!r}).exists():\n    time.sleep(0.1)\n"
    )
    slow = Program("slow", [sys.executable, str(script)], 10, starts=True, stop_seconds=180)
    supervisor.launch([slow], attached=True)
    log = supervisor.log("slow")
    wait_until(lambda: log.exists() and "ready" in log.read_text())

    enders = [Thread(target=supervisor.shut_down) for _ in range(2)]
    for ender in enders:
        ender.start()
    try:
        wait_until(lambda: is_stopping(supervisor))
        assert supervisor.is_running()
        with pytest.raises(StoppingError, match=r"is being stopped; wait for its end, then `make"):
            bring_up(config, supervisor, attached=True)
    finally:
        may_end.touch()
        for ender in enders:
            ender.join()
    assert not supervisor.is_running()


def is_stopping(supervisor: Supervisor) -> bool:
    try:
        supervisor.states()
    except StoppingError:
        return True
    return False
