"""A job's REST API, without Flink."""

from typing import Any

from lib.errors import ServiceError


class Rest:
    """A job as Flink's REST API shows it; each request takes the next state."""

    job_id, logs = "abc", "var/log"

    def __init__(self, *states: str, failure: str = "", stop: Any = "file:/x/savepoint-1") -> None:
        self._states = list(states)
        self._failure = failure
        self._stop = stop

    def state(self) -> str:
        if self._states[0] == "silent":
            self._states = self._states[1:] or self._states
            raise ServiceError("Flink at x:1 does not answer; see var/log.")
        return self._states.pop(0) if len(self._states) > 1 else self._states[0]

    def last_failure(self) -> str:
        return self._failure

    def metrics(self, names: Any) -> tuple[dict[str, float], dict[tuple[str, int], int]]:
        return {"Source.numRecordsOut": 10.0, "rows_inserted": 8.0}, {("t", 0): 9}

    def last_checkpoint(self) -> None:
        return None

    def stop(self, folder: str) -> str:
        if isinstance(self._stop, Exception):
            raise self._stop
        return str(self._stop)
