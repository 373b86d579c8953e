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

# Names for lines of the demo's own, which have no log.
OWN = ("latest", "dashboard", "demo")

# The command that starts each by hand. They are stopped in this order: the writers first.
PROGRAMS = {"producer": "make produce", "job": "make run-job", "api": "make api"}


def run(
    config: Settings, supervisor: Supervisor, console: Console, ended: Signals, *, opens: bool
) -> None:
    """Start job, producer and API, show everything until `ended`, then stop them in order."""
    states = supervisor.states()
    # A program that another demo on the same data has started is stopped by that demo.
    stopped = [name for name in PROGRAMS if not states[name]["pid"]]
    if "api" in stopped:
        ports.check_free(config.api.host, config.api.port, "api.port")
    if "job" in stopped:
        ports.check_free(config.flink.rest_host, config.flink.rest_port, "flink.rest_port")
    logs_end = threading.Event()
    lines = logs.follow(
        {name: supervisor.log(name) for name in COLOURS if name not in OWN}, logs_end
    )
    tails = threading.Thread(target=_show_logs, args=(lines, console))
    tails.start()
    try:
        for name in reversed(stopped):
            supervisor.start(name)
        _show(config.api, supervisor, console, ended, opens)
    finally:
        # Another process may be stopping the whole stack.
        with suppress(ServiceError):
            for name in stopped:
                supervisor.stop(name)
        logs_end.set()
        tails.join()


def _show_logs(lines: Iterable[tuple[str, str]], console: Console) -> None:
    for name, line in lines:
        # The broker logs hundreds of lines at its start; its warnings are enough here.
        if name != "kafka" or " INFO " not in line:
            _print(console, name, line)


def _show(api: Api, supervisor: Supervisor, console: Console, ended: Signals, opens: bool) -> None:
    """Print the dashboard's address once it answers, the newest prices after each change, and each
    program that stays down; raise ServiceError when that is a server."""
    shown, page = "", f"http://{api.address}/"
    down: set[str] = set()
    while not ended.wait(1.0):
        ended_now = {name for name, state in supervisor.states().items() if has_ended(state)}
        for name in sorted(ended_now - down):
            _report_ended(name, supervisor, console)
        down = ended_now
        prices = _prices(api)
        if prices and not shown:
            _print(console, "dashboard", page)
            if opens:
                webbrowser.open(page)
        if prices and prices != shown:
            _print(console, "latest", prices)
            shown = prices


def _report_ended(name: str, supervisor: Supervisor, console: Console) -> None:
    if name in SERVERS:
        raise ServiceError(f"{name} ended: {last_line(supervisor.log(name))}")
    _print(
        console,
        "demo",
        f"{name} ended and is not started again; the other programs keep running; "
        f"`{PROGRAMS[name]}` in a second terminal starts it",
    )


def _prices(api: Api) -> str:
    """The answer of /api/latest as one line; empty while there is none."""
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


def _print(console: Console, name: str, line: str) -> None:
    console.print(Text(f"{name:>10} | ", style=COLOURS[name]) + Text.from_ansi(line))
