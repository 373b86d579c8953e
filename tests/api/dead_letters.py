"""Dead letters as the sink, the collector and a replay store them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from tests.api.support import DAY


def add_dead_letter(client: Client, offset: int, reason: str, **more: Any) -> None:
    """Store a dead letter of stage `rule` with its record, received `offset` seconds after DAY."""
    row = {
        "topic": "stock-ticks", "kafka_partition": 0, "kafka_offset": offset,
        "kafka_timestamp": DAY + timedelta(seconds=offset), "stage": "rule", "reason": reason,
        "key": b"AAPL", "value": b'{"symbol": "AAPL"}', "has_record": True,
        "inserted_by": "stocks/ticks", "inserted_at": datetime.now(UTC), "replayed_at": None,
        "version": 1, **more,
    }  # fmt: skip
    client.insert("stocks.dead_letters", [[*row.values()]], column_names=[*row])
