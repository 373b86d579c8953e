"""Which programs are started again and which are not, and a stack that is stopped twice."""

import re
import sys
from pathlib import Path
from threading import Thread

import pytest

from lib.errors import StoppingError
from lib.settings import Settings
from local.__main__ import bring_up
from local.supervisor import Supervisor
from local.supervisord_conf import Program
from tests.conftest import wait_until
from tests.local.conftest import program


def test_a_program_is_started_again_after_a_kill_or_a_failure_but_not_after_status_2(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    tries = tmp_path / "tries"
    ends = (
        "import os, sys; from pathlib import Path; tries = Path(sys.argv[1])\n"
        "with tries.open('a') as file: file.write('x')\n"
        "number = tries.stat().st_size\n"
        "os.kill(os.getpid(), 9) if number == 1 else sys.exit({2: 75, 3: 1}.get(number, 2))"
    )
    command = [sys.executable, "-c", ends, str(tries)]
    # On a slow machine a program that ends at once may end late.
    job = Program("job", command, 10, starts=True, stop_seconds=5, steady_seconds=600)
    supervisor.launch([job, program("other")], attached=True)
    wait_until(supervisor.is_running)
    wait_until(lambda: supervisor.has_ended("job"))
    assert tries.read_text() == "xxxx"
    restarts = supervisor.log("job").read_text().splitlines()
    pauses = ["", " in 1 s", " in 2 s"]
    for line, pause in zip(restarts, pauses, strict=True):
        assert re.fullmatch(rf"job ended after \d+ s; it is started again{pause}", line)
    assert not supervisor.has_ended("other")

    tries.write_text("xxxx")
    supervisor.start("job")
    wait_until(lambda: len(tries.read_text()) == 5)
    wait_until(lambda: supervisor.has_ended("job"))
    assert supervisor.log("job").read_text().splitlines() == restarts, (
        "a start by hand is no restart"
    )


def test_a_stack_that_is_being_stopped_refuses_up_and_may_be_stopped_again(
    supervisor: Supervisor, config: Settings, tmp_path: Path
) -> None:
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

    threads = [Thread(target=supervisor.shut_down) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: is_stopping(supervisor))
        assert supervisor.is_running()
        with pytest.raises(StoppingError, match=r"is being stopped; wait for its end, then `make"):
            bring_up(config, supervisor, attached=True)
    finally:
        may_end.touch()
        for thread in threads:
            thread.join()
    assert not supervisor.is_running()


def is_stopping(supervisor: Supervisor) -> bool:
    try:
        supervisor.states()
    except StoppingError:
        return True
    return False
