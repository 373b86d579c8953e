"""Strings and identifiers, read back by ClickHouse."""

from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from clickhouse_connect.driver.client import Client

from lib.quoting import escape, quote_name, quote_string
from lib.settings import ClickHouse

TEXTS = ["", "plain", "it's", "a\\b", "\\N", "`x`", '"x"', "a, b", "\t\n\r\0", "\u00e9", "{x}"]


@pytest.mark.parametrize("text", [*TEXTS, b"a\xff".decode(errors="surrogateescape")])
def test_a_string_is_read_back_unchanged(clickhouse: ClickHouse, text: str) -> None:
    """As a literal, as a query parameter, and in a parameter that is an array."""
    fields = {
        "query": f"SELECT arrayMap(x -> hex(x), [{quote_string(text)}, {{one:String}},"
        " {many:Array(String)}[1]])",
        "param_one": escape(text),
        "param_many": f"[{quote_string(text)}]",
    }
    with urlopen(f"http://{clickhouse.address}/?{urlencode(fields)}", timeout=90) as answer:
        hexadecimal = text.encode(errors="surrogateescape").hex().upper()
        assert answer.read().decode().strip() == str([hexadecimal] * 3).replace(" ", "")


@pytest.mark.parametrize("name", [text for text in TEXTS if text])
def test_a_name_is_read_back_unchanged(client: Client, name: str) -> None:
    assert client.query(f"SELECT 1 AS {quote_name(name)}").column_names == (name,)
