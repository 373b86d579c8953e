"""The whole pipeline in one terminal: every program's log, and the newest row of each symbol."""

import threading

from rich.console import Console
from rich.text import Text

from lib import clickhouse
from lib.errors import JobError, MillraceError
from lib.settings import ClickHouse, Settings
from lib.signals import Signals
from local import logs
from local.stack import last_line
from local.supervisor import Supervisor

COLOURS = {
    "kafka": "yellow",
    "clickhouse": "magenta",
    "job": "cyan",
    "producer": "green",
    "latest": "bold white",
}

LATEST = """
    SELECT symbol, argMax(price, (timestamp, kafka_offset)) AS price
    FROM stocks.ticks
    GROUP BY symbol
    ORDER BY symbol
"""

# Stopped in this order: first what writes.
PROGRAMS = ("producer", "job")


def run(config: Settings, supervisor: Supervisor, console: Console, ended: Signals) -> None:
    """Start job and producer, show everything until `ended`, then stop them in order."""
    all_said = threading.Event()
    tails = threading.Thread(target=_show_logs, args=(supervisor, console, all_said))
    tails.start()
    try:
        for name in reversed(PROGRAMS):
            supervisor.start(name)
        _show_latest(config, supervisor, console, ended)
    finally:
        for name in PROGRAMS:
            supervisor.stop(name)
        all_said.set()
        tails.join()


def _show_logs(supervisor: Supervisor, console: Console, ended: threading.Event) -> None:
    files = {name: supervisor.log(name) for name in COLOURS if name != "latest"}
    for name, line in logs.follow(files, ended):
        # The broker tells much at its start; its warnings are enough here, and all is in its log.
        if name != "kafka" or " INFO " not in line:
            _say(console, name, line)


def _show_latest(
    config: Settings, supervisor: Supervisor, console: Console, ended: Signals
) -> None:
    """Once a second the newest price of each symbol, where one has changed."""
    said = ""
    while not ended.wait(1.0):
        if supervisor.has_ended("job"):
            raise JobError(last_line(supervisor.log("job")))
        try:
            prices = _prices(config.clickhouse)
        except MillraceError as error:
            prices = str(error)
        if prices != said:
            _say(console, "latest", prices)
        said = prices


def _prices(settings: ClickHouse) -> str:
    with clickhouse.explained(settings), clickhouse.connect(settings) as client:
        rows = client.query(LATEST).result_rows
    return "  ".join(f"{symbol} {price:,.2f}" for symbol, price in rows) or "no ticks yet"


def _say(console: Console, name: str, line: str) -> None:
    console.print(Text(f"{name:>10} | ", style=COLOURS[name]) + Text.from_ansi(line))
