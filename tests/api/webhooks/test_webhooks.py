"""Webhooks: each alert once, signed, and again until it is received, also after a kill."""

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from api.events import event_ids
from lib.processes import end_with_parent
from tests.api.alerts import add_alert
from tests.conftest import ROOT, Server, wait_until

SECRET = "a secret of some length"


@dataclass
class Receiver:
    """A server that answers with these statuses, the last of them for ever."""

    statuses: list[int]
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.requests]

    def symbols(self) -> list[str]:
        return [body["data"]["symbol"] for body in self.bodies()]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver([204])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.requests.append((headers, body))
            first, *others = receiver.statuses
            receiver.statuses = others or [first]
            self.send_response(first)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the output of tests has no lines of servers."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield receiver
    server.shutdown()
    server.server_close()


@dataclass
class Sending:
    """`python -m api webhooks` with one webhook, in a folder."""

    folder: Path
    store: Server
    webhook: dict[str, str]

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[str]"]:
        """Run it, from when it sends."""
        process = subprocess.Popen(
            [sys.executable, "-m", "api", "webhooks"], cwd=ROOT, env=self.environ(), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=end_with_parent,
        )  # fmt: skip
        assert process.stdout
        try:
            assert process.stdout.readline().startswith("sending to chat")
            yield process
        finally:
            process.kill()
            process.communicate()

    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            "MILLRACE_DATA_DIR": str(self.folder),
            "MILLRACE_CLICKHOUSE__PORT": str(self.store.settings.port),
            "MILLRACE_WEBHOOKS": json.dumps({"chat": self.webhook}),
        }

    def failed(self) -> str:
        """Run it, and return the one line with which it ends."""
        ended = subprocess.run(
            [sys.executable, "-m", "api", "webhooks"], cwd=ROOT, env=self.environ(), text=True,
            capture_output=True, timeout=150,
        )  # fmt: skip
        assert ended.returncode == 2 and len(ended.stderr.splitlines()) == 1, ended.stderr
        return ended.stderr.strip()

    def looked_at(self) -> int:
        """The time from which on it looks for new rows, in seconds since 1970."""
        (file,) = (self.folder / "webhooks").glob("chat-*.json")
        found = event_ids.decode(json.loads(file.read_text())["event"])
        assert found
        return found[0]

    def has_begun(self) -> bool:
        """Whether it knows where it continues."""
        return any((self.folder / "webhooks").glob("chat-*.json"))


@pytest.fixture
def sending(tmp_path: Path, server: Server, receiver: Receiver) -> Sending:
    webhook = {"url": receiver.url, "secret": SECRET, "stream": "alert_stream"}
    return Sending(tmp_path, server, webhook)


def test_each_alert_is_sent_once_and_signed(
    sending: Sending, receiver: Receiver, tables: Client
) -> None:
    add_alert(tables, 0, "OLD")
    with sending.running() as process:
        wait_until(sending.has_begun)
        add_alert(tables, 10)
        # As after a failure of the job.
        add_alert(tables, 10)
        add_alert(tables, 20, "MSFT")
        wait_until(lambda: receiver.symbols()[-1:] == ["MSFT"])
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert receiver.symbols() == ["AAPL", "MSFT"]
    headers, body = receiver.requests[0]
    content = json.loads(body)
    assert content["type"] == "alert" and content["repeated"] is False
    assert content["data"]["message"] == "AAPL fell by 1.00 %, from 100.5 to 99.5"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.digest(SECRET.encode(), signed, hashlib.sha256)
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 300


def test_an_alert_that_is_not_received_is_sent_again_and_marked(
    sending: Sending, receiver: Receiver, tables: Client
) -> None:
    receiver.statuses = [503, 500, 200]
    with sending.running():
        wait_until(sending.has_begun)
        add_alert(tables, 10)
        add_alert(tables, 20, "MSFT")
        wait_until(lambda: receiver.symbols() == ["AAPL"] * 3 + ["MSFT"])
    assert [body["repeated"] for body in receiver.bodies()] == [False, True, True, False]
    first, second, third, other = (headers["webhook-id"] for headers, _ in receiver.requests)
    assert first == second == third != other


def test_alerts_of_a_time_in_which_it_did_not_run_are_sent_at_the_next_start(
    sending: Sending, receiver: Receiver, tables: Client
) -> None:
    receiver.statuses = [500]
    with sending.running():
        wait_until(sending.has_begun)
        add_alert(tables, 10)
        wait_until(lambda: receiver.symbols()[:1] == ["AAPL"])
    add_alert(tables, 20, "MSFT")
    receiver.statuses = [200]
    receiver.requests.clear()
    with sending.running():
        wait_until(lambda: receiver.symbols()[-1:] == ["MSFT"])
    assert receiver.symbols() == ["AAPL", "MSFT"]
    # It was killed while it sent the first.
    assert [body["repeated"] for body in receiver.bodies()] == [True, False]


def test_each_look_for_new_rows_goes_back_to_the_last_one_only(
    sending: Sending, receiver: Receiver, tables: Client
) -> None:
    with sending.running():
        wait_until(sending.has_begun)
        # The id has whole seconds.
        time.sleep(2)
        begun = int(time.time())
        add_alert(tables, 10)
        wait_until(lambda: receiver.symbols() == ["AAPL"])
        wait_until(lambda: sending.looked_at() >= begun)


def test_a_state_that_cannot_be_written_is_one_line(
    sending: Sending, receiver: Receiver, tables: Client
) -> None:
    (sending.folder / "webhooks").touch()
    ended = sending.failed()
    assert "webhooks/chat-" in ended and ended.endswith(
        "; fix that, then start the webhooks again."
    )


@pytest.mark.parametrize(
    ("name", "value", "fact"),
    [
        ("stream", "alerts", "webhooks.chat.stream: 'alerts' is no stream of sql/api; "),
        ("secret", "whsec_no base64 at all", "webhooks.chat.secret: not in Base64 after whsec_; "),
        ("secret", "whsec_nö base64 ät all", "webhooks.chat.secret: not in Base64 after whsec_; "),
        ("secret", "short", "environment: MILLRACE_WEBHOOKS: "),
        ("url", "chat.example", "environment: MILLRACE_WEBHOOKS: "),
    ],
)
def test_a_wrong_webhook_is_one_line(
    sending: Sending, tables: Client, name: str, value: str, fact: str
) -> None:
    sending.webhook[name] = value
    text = sending.failed()
    assert text.startswith(fact) and SECRET not in text


def test_without_a_webhook_there_is_nothing_to_send(sending: Sending) -> None:
    environ = sending.environ()
    del environ["MILLRACE_WEBHOOKS"]
    ended = subprocess.run(
        [sys.executable, "-m", "api", "webhooks"], cwd=ROOT, env=environ, text=True,
        capture_output=True, timeout=150,
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr.startswith("conf/millrace.yaml: webhooks has none; ")
