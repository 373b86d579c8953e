"""The whole pipeline in one terminal: every program's log, and the newest price of each symbol."""

import threading
import webbrowser
from collections.abc import Iterable
from contextlib import suppress

import urllib3
from rich.console import Console
from rich.text import Text

from lib import ports
from lib.errors import ServiceError
from lib.settings import Api, Settings
from lib.signals import Signals
from lib.sqlfiles import show
from local import logs
from local.stack import SERVERS, last_line
from local.supervisor import Supervisor, has_ended

COLOURS = {
    "kafka": "yellow",
    "clickhouse": "magenta",
    "job": "cyan",
    "producer": "green",
    "api": "blue",
    "latest": "bold white",
    "dashboard": "bold white",
    "demo": "bold white",
}

# Who only says something itself, and has no log.
OURS = ("latest", "dashboard", "demo")

# What starts each by hand; stopped in this order: first what writes.
PROGRAMS = {"producer": "make produce", "job": "make run-job", "api": "make api"}


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
    """The dashboard's address once it is there, the newest prices whenever one has changed, and
    which program is down for good; raise ServiceError when that is a server."""
    said, page = "", f"http://{api.address}/"
    down: set[str] = set()
    is_open = False
    while not ended.wait(1.0):
        ended_now = {name for name, info in supervisor.states().items() if has_ended(info)}
        for name in sorted(ended_now - down):
            _check_no_server(name, supervisor)
            _say(console, "demo", _goes_on_without(name))
        down = ended_now
        prices = _prices(api)
        if prices and not is_open:
            _say(console, "dashboard", page)
            is_open = True
            if opens:
                webbrowser.open(page)
        if prices and prices != said:
            _say(console, "latest", prices)
            said = prices


def _check_no_server(name: str, supervisor: Supervisor) -> None:
    if name in SERVERS:
        log = supervisor.log(name)
        raise ServiceError(f"{name} ended: {last_line(log)} (the whole of it is in {show(log)})")


def _goes_on_without(name: str) -> str:
    return (
        f"{name} ended and is not started again, the rest goes on; "
        f"`{PROGRAMS[name]}` in a second terminal starts it"
    )


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
