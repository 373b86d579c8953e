"""The wait for the servers: one that does not start, and a stack that is stopped meanwhile."""

from pathlib import Path
from typing import cast

import pytest

from lib import waiting
from lib.errors import ServiceError, SetupError
from lib.settings import Settings
from local import stack
from local.supervisor import Supervisor
from tests.conftest import FakeTime
from tests.local.conftest import program


@pytest.mark.parametrize("seconds", [0, 1.5])
def test_the_last_line_of_a_server_that_does_not_start_is_in_the_error(
    supervisor: Supervisor, config: Settings, seconds: float
) -> None:
    ends = f"import sys, time; time.sleep({seconds}); print('no room; fix it.'); sys.exit(2)"
    supervisor.launch([program("kafka"), program("clickhouse", ends)], attached=True)
    with pytest.raises(SetupError) as error:
        stack.wait(supervisor, config, lambda text: None)
    log = supervisor.log("clickhouse")
    assert str(error.value) == (
        f"clickhouse does not start: no room; fix it. (the whole of it is in {log})"
    )
    assert len(log.read_text().splitlines()) == 1, "it was started again"


def test_the_wait_ends_when_another_process_stops_the_stack(
    supervisor: Supervisor, config: Settings
) -> None:
    supervisor.launch([program(name) for name in stack.SERVERS], attached=True)

    def stop(said: str) -> None:
        if "clickhouse" in said:
            supervisor.shut_down()

    with pytest.raises(ServiceError, match=r"^the embedded stack does not run; start it with"):
        stack.wait(supervisor, config, stop)


def test_one_limit_holds_for_all_that_is_waited_for(
    config: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeTime()
    monkeypatch.setattr(stack, "time", clock)
    monkeypatch.setattr(waiting, "time", clock)

    class Slow:
        """It answers after two thirds of the limit."""

        def is_running(self) -> bool:
            return clock.now > 60

        def has_ended(self, name: str) -> bool:
            return False

        def log(self, name: str) -> Path:
            return Path(name)

    with pytest.raises(ServiceError, match=r"^clickhouse: no answer after 90 s; see clickhouse\.$"):
        stack.wait(cast(Supervisor, Slow()), config, lambda text: None)
    assert 90 < clock.now < 91
