"""Alerts as the job stores them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from tests.api.support import DAY


def add_alert(client: Client, seconds: float, symbol: str = "AAPL", **more: Any) -> None:
    """Store an alert of a fall that was complete so many seconds after DAY."""
    ended_at = DAY + timedelta(seconds=seconds)
    row = {
        "rule": "price_falls", "symbol": symbol, "started_at": ended_at - timedelta(seconds=9),
        "ended_at": ended_at, "severity": "warning", "details": '{"from":100.5,"to":99.5}',
        "message": f"{symbol} fell by 1.00 %, from 100.5 to 99.5", "inserted_by": "stocks/alerts",
        "inserted_at": datetime.now(UTC), **more,
    }  # fmt: skip
    client.insert("stocks.alerts", [[*row.values()]], column_names=[*row])
