"""The supervisord of a data folder: its start, its programs, its end.

It starts programs again that fail, and keeps their logs.
"""

import http.client
import subprocess
import sys
import xmlrpc.client
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, cast

from supervisor.xmlrpc import Faults, SupervisorTransport

from lib.errors import ServiceError, SetupError, StoppingError
from lib.files import show
from lib.processes import end_with_parent
from lib.waiting import until
from local.supervisord_conf import FINAL, Files, Program, configuration

# How long the programs may take to end, in seconds.
STOP_LIMIT = 200.0

# How long supervisord may take to answer after its start, in seconds.
SUPERVISORD_START_LIMIT = 30.0

# The socket is missing, has no listener, or is being closed.
_NO_ANSWER = (OSError, http.client.HTTPException)

_RUNNING = ("RUNNING", "STARTING", "BACKOFF")


class Supervisor:
    """The supervisord of one data folder, whether or not it runs."""

    def __init__(self, data_dir: Path) -> None:
        self._files = Files(data_dir)
        self._launched: subprocess.Popen[bytes] | None = None

    def log(self, name: str) -> Path:
        """The output of a program, or of supervisord itself."""
        return self._files.log(name)

    def launch(self, programs: Sequence[Program], *, attached: bool) -> None:
        """Start supervisord, and the programs that start with it; attached, it ends with this
        process. Raise SetupError for a folder whose name the configuration cannot hold."""
        data_dir = self._files.data_dir
        if set('%"') & set(str(data_dir)):
            raise SetupError(f"data_dir: {data_dir} has a % or a quote in it; take another.")
        for folder in (self._files.run, self._files.logs):
            folder.mkdir(parents=True, exist_ok=True)
        for program in programs:
            self._files.starts(program.name).unlink(missing_ok=True)
        file = self._files.run / "supervisord.conf"
        with file.open("w", encoding="utf-8") as stream:
            configuration(programs, self._files, attached=attached).write(stream)
        # In a session of its own: Ctrl-C in the terminal is for this process, which stops the
        # programs in order.
        self._launched = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=end_with_parent if attached else None,
        )

    def abandon(self) -> None:
        """End what `launch` has started unattached, though it may not answer yet."""
        if not self._launched:
            return
        self._launched.terminate()
        if self._launched.wait() == 0:
            # It has gone into the background already, and will answer.
            until(self.is_running, SUPERVISORD_START_LIMIT)
            self.shut_down()

    def is_running(self) -> bool:
        """Whether it answers; it does until all its programs have ended."""
        try:
            self._call("getState")
        except StoppingError:
            return True
        except ServiceError:
            return False
        return True

    def states(self) -> dict[str, dict[str, Any]]:
        """Each program's `statename`, `pid`, `description`; raise ServiceError if nothing runs, and
        StoppingError while all are being ended."""
        states = cast(list[dict[str, Any]], self._call("getAllProcessInfo"))
        return {state["name"]: state for state in states}

    def has_ended(self, name: str) -> bool:
        """Whether a program ended by itself and is not started again."""
        return has_ended(self.states()[name])

    def start(self, name: str) -> None:
        """Start one program, if it does not run."""
        if self.states()[name]["statename"] not in _RUNNING:
            self._files.starts(name).unlink(missing_ok=True)
            self._call("startProcess", name, False)

    def stop(self, name: str) -> None:
        """Stop one program and return when it has ended."""
        if self.states()[name]["statename"] in _RUNNING:
            self._call("stopProcess", name, True)

    def shut_down(self) -> None:
        """End all programs, those that write first; return when supervisord has ended too."""
        # Another process may have shut it down already, and it may have ended since.
        with suppress(ServiceError):
            self._call("shutdown")
        if not until(lambda: not self.is_running(), STOP_LIMIT):
            raise ServiceError(
                f"the stack still runs after {STOP_LIMIT:.0f} s; see {show(self._files.logs)}."
            )
        if self._launched:
            self._launched.wait()

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._files.socket}")
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            with closing(transport):
                return getattr(proxy.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == Faults.SHUTDOWN_STATE:
                raise StoppingError(
                    "the embedded stack is being stopped; wait for its end, then `make up`."
                ) from fault
            raise
        except _NO_ANSWER as error:
            raise ServiceError(
                "the embedded stack does not run; start it with `make up`."
            ) from error


def has_ended(state: Mapping[str, Any]) -> bool:
    """Whether the program in this state ended by itself and is not started again."""
    is_final = state["statename"] == "EXITED" and state["exitstatus"] in FINAL
    return is_final or state["statename"] == "FATAL"
