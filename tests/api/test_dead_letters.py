"""The endpoints of dead letters, and their counts in /api/pipeline, /health and /metrics."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from tests.api.dead_letters import add_dead_letter
from tests.api.job_status import part, report
from tests.api.support import Api

WHOLE = "volume: '12.7' is not a whole number from 0 to 4294967295"


def offsets(rows: list[dict[str, Any]]) -> list[int]:
    return [int(row["kafka_offset"]) for row in rows]


def test_a_dead_letter_has_place_reason_and_record(api: Api, tables: Client) -> None:
    at = datetime(2024, 1, 30, 12, tzinfo=UTC)
    add_dead_letter(tables, 7, WHOLE, inserted_at=at)
    assert api.rows("/api/dead_letters") == [
        {
            "topic": "stock-ticks", "kafka_partition": 0, "kafka_offset": "7",
            "kafka_timestamp": "2024-01-30T00:00:07.000000Z", "stage": "rule", "reason": WHOLE,
            "key_text": "AAPL", "key_base64": "QUFQTA==", "key_size": 4,
            "value_text": '{"symbol": "AAPL"}', "value_base64": "eyJzeW1ib2wiOiAiQUFQTCJ9",
            "value_size": 18, "has_record": True, "inserted_by": "stocks/ticks",
            "inserted_at": "2024-01-30T12:00:00.000000Z", "replayed_at": None,
        }
    ]  # fmt: skip


def test_the_version_of_the_collector_replaces_that_of_the_sink(api: Api, tables: Client) -> None:
    add_dead_letter(tables, 1, WHOLE, key=None, value=None, has_record=False, version=0)
    (row,) = api.rows("/api/dead_letters")
    assert (row["has_record"], row["value_text"], row["value_base64"]) == (False, None, None)
    add_dead_letter(tables, 1, WHOLE, key=None)
    (row,) = api.rows("/api/dead_letters")
    assert (row["has_record"], row["key_base64"], row["value_size"]) == (True, None, 18)


@pytest.mark.parametrize("value", [b"", b"\x00", b"caf\xe9", b"\xff\xfe{}", "Zoë 🙂".encode()])
def test_any_bytes_come_unchanged_and_as_text_if_they_are_utf_8(
    api: Api, tables: Client, value: bytes
) -> None:
    add_dead_letter(tables, 1, "not read", key=value, value=value)
    (row,) = api.rows("/api/dead_letters")
    assert [b64decode(row[f"{name}_base64"]) for name in ("key", "value")] == [value, value]
    try:
        text: str | None = value.decode()
    except UnicodeDecodeError:
        text = None
    assert [row["key_text"], row["value_text"]] == [text, text]
    assert row["value_size"] == len(value)


def test_a_long_record_is_cut(api: Api, tables: Client) -> None:
    value = "ë" * 20_000
    add_dead_letter(tables, 1, "not read", value=value.encode())
    (row,) = api.rows("/api/dead_letters")
    assert (row["value_text"], row["value_size"]) == (value[:10_000], 40_000)
    assert b64decode(row["value_base64"]) == value.encode()[:10_000]
    (row,) = api.rows("/api/dead_letters", max_size=100_000)
    assert b64decode(row["value_base64"]) == value.encode()


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"topic": "orders"}, [5]),
        ({"kafka_partition": 2}, [4]),
        ({"stage": "sink"}, [3]),
        ({"reason": "WHOLE number"}, [2, 1]),
        ({"reason": "100%"}, []),
        ({"from": "2024-01-30T00:00:02Z", "to": "2024-01-30T00:00:04Z"}, [3, 2]),
        ({"replayed": "true"}, [2]),
        ({"replayed": "false"}, [5, 4, 3, 1]),
    ],
)
def test_dead_letters_are_filtered(
    api: Api, tables: Client, filters: dict[str, Any], found: list[int]
) -> None:
    add_dead_letter(tables, 1, WHOLE)
    add_dead_letter(tables, 2, WHOLE, replayed_at=datetime.now(UTC), version=2)
    add_dead_letter(tables, 3, "Code: 321", stage="sink")
    add_dead_letter(tables, 4, "no JSON", stage="parse", kafka_partition=2)
    add_dead_letter(tables, 5, "no JSON", stage="parse", topic="orders")
    assert offsets(api.rows("/api/dead_letters", **filters)) == found


def test_an_unknown_stage_is_refused(api: Api, tables: Client) -> None:
    answer = api.get("/api/dead_letters?stage=flink")
    assert (answer.status_code, answer.json()["parameter"]) == (400, "stage")


def test_pages_neither_skip_nor_repeat_a_dead_letter(api: Api, tables: Client) -> None:
    same = {"kafka_timestamp": datetime(2024, 1, 30, tzinfo=UTC)}
    for partition in (0, 1):
        for offset in range(5):
            add_dead_letter(tables, offset, WHOLE, kafka_partition=partition, **same)
    found, cursor = [], None
    while True:
        answer = api.get("/api/dead_letters", params={"limit": 3, "cursor": cursor} if cursor
                         else {"limit": 3}).json()  # fmt: skip
        found += [(row["kafka_partition"], int(row["kafka_offset"])) for row in answer["data"]]
        # A newer version of a row, and a new row, shift no page.
        add_dead_letter(tables, 2, WHOLE, version=9, **same)
        add_dead_letter(tables, 1000 + len(found), WHOLE)
        cursor = answer["next"]
        if cursor is None:
            break
    assert found == [(p, offset) for p in (1, 0) for offset in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    ("stage", "reasons", "kind"),
    [
        ("rule", [WHOLE, WHOLE.replace("12.7", "-1"), WHOLE.replace("12.7", "it's 'b' is")],
         "volume: … is not a whole number from 0 to 4294967295"),
        ("rule", ["symbol: 'two\nlines' does not match [A-Z]{1,16}",
                  "symbol: '' does not match [A-Z]{1,16}"],
         "symbol: … does not match [A-Z]{1,16}"),
        ("rule", ["price: missing"], "price: missing"),
        ("sink", ["Code: 321. Value 1.5e300 of 'price' is out of range of UInt32",
                  "Code: 53. Value -7 of 'a 1' is out of range of UInt32"],
         "Code: …. Value … of … is out of range of UInt32"),
        ("parse", ["not an object: 12", "not an object: 'a' is a, 'b'"], "not an object: …"),
        ("parse", ["not UTF-8: byte 3 is 0xff", "not UTF-8: byte 45 is 0x80"],
         "not UTF-8: byte … is …"),
        ("parse", ['"{" is no JSON at 2024-01-30T10:00:01.5', '"[1, 2]" is no JSON at 12:30'],
         "… is no JSON at …"),
    ],
)  # fmt: skip
def test_reasons_that_differ_in_their_values_are_one_kind(
    api: Api, tables: Client, stage: str, reasons: list[str], kind: str
) -> None:
    for offset, reason in enumerate(reasons):
        add_dead_letter(tables, offset, reason, stage=stage)
    (row,) = api.rows("/api/dead_letter_reasons")
    last = len(reasons) - 1
    assert row == {
        "stage": stage, "kind": kind, "dead_letters": len(reasons),
        "first": "2024-01-30T00:00:00.000000Z", "last": f"2024-01-30T00:00:0{last}.000000Z",
        "example": {
            "topic": "stock-ticks", "kafka_partition": 0, "kafka_offset": str(last),
            "reason": reasons[-1],
        },
    }  # fmt: skip


def test_the_most_frequent_reason_is_first_and_replayed_ones_do_not_count(
    api: Api, tables: Client
) -> None:
    add_dead_letter(tables, 1, "price is missing")
    add_dead_letter(tables, 2, WHOLE, stage="rule")
    add_dead_letter(tables, 3, WHOLE, topic="orders")
    add_dead_letter(tables, 4, "gone", replayed_at=datetime.now(UTC))
    path = "/api/dead_letter_reasons"
    assert [row["dead_letters"] for row in api.rows(path)] == [2, 1]
    assert [row["kind"] for row in api.rows(path, topic="orders")] == [
        "volume: … is not a whole number from 0 to 4294967295"
    ]
    assert [row["kind"] for row in api.rows(path, replayed="true")] == ["gone"]
    assert (
        len(api.rows(path, **{"from": "2024-01-30T00:00:02Z", "to": "2024-01-30T00:00:03Z"})) == 1
    )


def test_each_job_counts_its_dead_letters(api: Api, tables: Client) -> None:
    old = datetime.now(UTC) - timedelta(hours=1)
    for job in ("stocks", "orders", "quiet"):
        report(tables, job=job)
    # In both versions it is one; of two inserts of a job it is one job's.
    add_dead_letter(tables, 1, WHOLE, version=0)
    add_dead_letter(tables, 1, WHOLE, inserted_at=old)
    add_dead_letter(tables, 2, WHOLE, inserted_by="stocks/alerts")
    add_dead_letter(tables, 3, WHOLE, replayed_at=datetime.now(UTC))
    add_dead_letter(tables, 4, WHOLE, topic="orders", inserted_by="orders/orders")
    names = ("dead_letters", "dead_letters_last_minute")
    counts = {row["job"]: tuple(row[name] for name in names) for row in api.rows("/api/pipeline")}
    assert counts == {"stocks": (2, 1), "orders": (1, 1), "quiet": (0, 0)}
    assert [part(api, f"job {job}")["dead_letters"] for job in ("stocks", "quiet")] == [2, 0]
    assert part(api, "ticks")["dead_letters"] is None
    text = api.metrics()
    assert 'millrace_part_dead_letters{part="job stocks"} 2.0' in text
    assert 'millrace_part_dead_letters{part="ticks"}' not in text
