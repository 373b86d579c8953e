"""The whole pipeline in one terminal: every program's log, and the newest price of each symbol."""

import threading
import webbrowser
from collections.abc import Iterable
from contextlib import suppress

import urllib3
from rich.console import Console
from rich.text import Text

from lib import ports
from lib.errors import JobError, ServiceError
from lib.settings import Api, Settings
from lib.signals import Signals
from local import logs
from local.stack import last_line
from local.supervisor import Supervisor

COLOURS = {
    "kafka": "yellow",
    "clickhouse": "magenta",
    "job": "cyan",
    "producer": "green",
    "api": "blue",
    "latest": "bold white",
    "dashboard": "bold white",
}

# Who only says something itself, and has no log.
OURS = ("latest", "dashboard")

# Stopped in this order: first what writes.
PROGRAMS = ("producer", "job", "api")


def run(
    config: Settings, supervisor: Supervisor, console: Console, ended: Signals, *, opens: bool
) -> None:
    """Start job, producer and API, show everything until `ended`, then stop them in order."""
    running = supervisor.states()
    # What another demo on the same data has started is its to stop.
    ours = [name for name in PROGRAMS if not running[name]["pid"]]
    if "api" in ours:
        ports.check_free(config.api.host, config.api.port, "api.port")
    if "job" in ours:
        ports.check_free(config.flink.rest_host, config.flink.rest_port, "flink.rest_port")
    all_said = threading.Event()
    lines = logs.follow(
        {name: supervisor.log(name) for name in COLOURS if name not in OURS}, all_said
    )
    tails = threading.Thread(target=_show_logs, args=(lines, console))
    tails.start()
    try:
        for name in reversed(ours):
            supervisor.start(name)
        _show(config.api, supervisor, console, ended, opens)
    finally:
        # Another may be stopping all of it.
        with suppress(ServiceError):
            for name in ours:
                supervisor.stop(name)
        all_said.set()
        tails.join()


def _show_logs(lines: Iterable[tuple[str, str]], console: Console) -> None:
    for name, line in lines:
        # The broker tells much at its start; its warnings are enough here, and all is in its log.
        if name != "kafka" or " INFO " not in line:
            _say(console, name, line)


def _show(api: Api, supervisor: Supervisor, console: Console, ended: Signals, opens: bool) -> None:
    """The dashboard's address once it is there, and the newest prices whenever one has changed."""
    said, page = "", f"http://{api.address}/"
    is_open = False
    while not ended.wait(1.0):
        for name in ("job", "api"):
            if supervisor.has_ended(name):
                raise JobError(last_line(supervisor.log(name)))
        prices = _prices(api)
        if prices and not is_open:
            _say(console, "dashboard", page)
            is_open = True
            if opens:
                webbrowser.open(page)
        if prices and prices != said:
            _say(console, "latest", prices)
            said = prices


def _prices(api: Api) -> str:
    """What /api/latest answers, in a line; empty while it does not."""
    keys = [entry.key for entry in api.keys.values() if not (entry.only or entry.rate)]
    try:
        answer = urllib3.request(
            "GET",
            f"http://{api.address}/api/latest",
            headers={"Authorization": f"Bearer {keys[0]}"} if keys else {},
            timeout=5,
            retries=False,
        )
    except urllib3.exceptions.HTTPError:
        return ""
    if answer.status != 200:
        return str(answer.json()["detail"])
    rows = answer.json()["data"]
    return "  ".join(f"{row['symbol']} {row['price']:,.2f}" for row in rows) or "no ticks yet"


def _say(console: Console, name: str, line: str) -> None:
    console.print(Text(f"{name:>10} | ", style=COLOURS[name]) + Text.from_ansi(line))
