"""Alerts: at their endpoint, and as events of the stream of ticks."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from clickhouse_connect.driver.client import Client

from tests.api.alerts import add_alert
from tests.api.listening import fresh, listening, offsets
from tests.api.support import DAY, Api, insert


def test_alerts_are_listed_the_newest_first(api: Api, tables: Client) -> None:
    add_alert(tables, 10)
    add_alert(tables, 20, "MSFT", severity="critical", rule="reversals")
    add_alert(tables, 30, "TSLA")
    rows = api.rows("/api/alerts")
    assert [row["symbol"] for row in rows] == ["TSLA", "MSFT", "AAPL"]
    assert rows[2]["details"] == {"from": 100.5, "to": 99.5}
    assert rows[2]["ended_at"] == "2024-01-30T00:00:10.000000Z"
    one = api.rows("/api/alerts", severity="critical", rules="reversals,price_falls")
    assert [row["symbol"] for row in one] == ["MSFT"]
    moment = (DAY + timedelta(seconds=20)).isoformat()
    assert [row["symbol"] for row in api.rows("/api/alerts", to=moment)] == ["AAPL"]


def test_an_alert_that_is_stored_again_is_one_and_keeps_its_first_row(
    api: Api, tables: Client
) -> None:
    add_alert(tables, 10, inserted_at=DAY)
    add_alert(tables, 10)
    assert [row["inserted_at"] for row in api.rows("/api/alerts")] == [
        "2024-01-30T00:00:00.000000Z"
    ]
    tables.command("OPTIMIZE TABLE stocks.alerts FINAL")
    assert [row["inserted_at"] for row in api.rows("/api/alerts")] == [
        "2024-01-30T00:00:00.000000Z"
    ]


def symbols(event: dict[str, str]) -> list[str]:
    return [row["symbol"] for row in json.loads(event["data"])]


@pytest.mark.parametrize("path", ["/api/stream", "/api/alert_stream"])
def test_a_new_alert_is_an_event_once(api: Api, tables: Client, path: str) -> None:
    add_alert(tables, 10)
    with listening(api, path) as events, listening(api, f"{path}?symbols=MSFT") as filtered:
        assert [*next(events)] == [*next(filtered)] == ["id"]
        add_alert(tables, 20, "AAPL")
        first = next(events)
        assert first.get("event") == ("alert" if path == "/api/stream" else None)
        assert symbols(first) == ["AAPL"]
        # Raised again, as after a failure.
        add_alert(tables, 20, "AAPL")
        add_alert(tables, 30, "MSFT")
        assert symbols(next(events)) == symbols(next(filtered)) == ["MSFT"]
        tables.command("OPTIMIZE TABLE stocks.alerts FINAL")
        add_alert(tables, 40, "TSLA")
        assert symbols(next(events)) == ["TSLA"]


def test_a_stream_is_resumed_with_its_ticks_and_alerts(api: Api, tables: Client) -> None:
    new = fresh()
    with listening(api, "/api/stream") as events:
        identity = next(events)["id"]
    insert(tables, [("A", 1.0, 1, 0, new)])
    add_alert(tables, 20, "AAPL")
    add_alert(tables, 30, "MSFT")
    with listening(api, "/api/stream", **{"last-event-id": identity}) as events:
        ticks = next(events)
        assert offsets(ticks) == [new]
        check_alerts(events, {"AAPL", "MSFT"})
    # Only what came after the ticks.
    with listening(api, "/api/stream", **{"last-event-id": ticks["id"]}) as events:
        check_alerts(events, {"AAPL", "MSFT"})


def check_alerts(events: Iterator[dict[str, str]], wanted: set[str]) -> None:
    """The next events are alerts of these symbols, each once."""
    seen: list[str] = []
    while len(seen) < len(wanted):
        event = next(events)
        assert event["event"] == "alert"
        seen += symbols(event)
    assert sorted(seen) == sorted(wanted)


def test_alerts_of_a_table_that_was_restored_are_sent(api: Api, tables: Client) -> None:
    """Its inserts are counted from the beginning again."""
    for seconds in range(5):
        add_alert(tables, seconds)
    with listening(api, "/api/alert_stream") as events:
        next(events)
        tables.command("CREATE TABLE stocks.restored AS stocks.alerts")
        tables.command("EXCHANGE TABLES stocks.alerts AND stocks.restored")
        try:
            add_alert(tables, 99, "NEW")
            seen = symbols(next(events))
            while "NEW" not in seen:
                seen += symbols(next(events))
            assert seen.count("NEW") == 1
        finally:
            tables.command("DROP TABLE stocks.restored")
