"""Flink's REST API, with a server that answers late."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from jobs.flink import rest
from jobs.flink.rest import Rest
from lib.errors import ServiceError

ANSWERS = {
    "/overview": {"taskmanagers": 1, "jobs-running": 1},
    "/jobs/a": {"state": "RUNNING"},
    "/jobs/a/stop": {"request-id": "7"},
    "/jobs/a/savepoints/7": {
        "status": {"id": "COMPLETED"},
        "operation": {"location": "file:/saved"},
    },
}


class Late(BaseHTTPRequestHandler):
    """Answers after half a second."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(0.5)
        body = json.dumps(ANSWERS[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        # The client may have given up.
        with suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def late() -> Iterator[Rest]:
    """The job a of a server that answers late."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Late) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield Rest(f"127.0.0.1:{server.server_port}", "a", "the log")
        server.shutdown()
        thread.join()


def test_the_cluster_reports_its_task_managers(late: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "REQUEST_LIMIT", 90.0)
    assert late.task_managers() == 1


def test_a_request_for_the_status_times_out_early_and_a_savepoint_does_not(
    late: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "REQUEST_LIMIT", 0.1)
    with pytest.raises(ServiceError, match="does not answer; see the log"):
        late.get()
    assert late.stop("file:/") == "file:/saved"


def test_a_savepoint_times_out(late: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUEST_LIMIT", "SAVEPOINT_LIMIT"):
        monkeypatch.setattr(rest, name, 0.1)
    with pytest.raises(ServiceError, match="does not answer; see the log"):
        late.stop("file:/")
