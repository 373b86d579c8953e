"""JSON and Dynamic columns in JSON answers."""

import io
import json

import msgspec
import pyarrow.parquet as pq

from api.query import json_columns
from tests.api.query_runner import QueryRunner

HEAD = "-- One row.\n"
BIG = 9007199254740993
DOCUMENT = (
    '{"id": 9007199254740993, "u": 18446744073709551615, "f": 1.5, "whole": 100.0, "yes": true,'
    ' "t": "17 and 5, 6", "q": "a \\\\"5\\\\" b", "deep": {"list": [1, [2, "3"], {"n": -4}]}}'
)
READ = {
    "id": "9007199254740993", "u": "18446744073709551615", "f": 1.5, "whole": 100, "yes": True,
    "t": "17 and 5, 6", "q": 'a "5" b', "deep": {"list": [1, [2, "3"], {"n": -4}]},
}  # fmt: skip
# A text that looks like a time stays as it is.
LATE = '{"at": "2024-01-30T10:00:00Z", "n": 5}'
DOCUMENTS = f"""{HEAD}SELECT '{DOCUMENT}'::JSON AS json, {BIG}::Int64::Dynamic AS dynamic,
['{LATE}'::JSON(at String, n UInt8)] AS list, CAST(NULL, 'Dynamic') AS nothing,
CAST(NULL, 'Nullable(JSON)') AS never, map('k', [1::UInt64::Dynamic, NULL]) AS named,
'a/b' AS text, toUInt64(5) AS n"""


def test_an_integer_in_a_json_or_dynamic_column_is_a_string_if_a_browser_would_round_it(
    runner: QueryRunner,
) -> None:
    right = {
        "json": READ, "dynamic": str(BIG), "list": [{"at": "2024-01-30T10:00:00Z", "n": 5}],
        "nothing": None, "never": None, "named": {"k": [1, None]}, "text": "a/b", "n": "5",
    }  # fmt: skip
    assert runner.rows(DOCUMENTS) == [right]
    line = runner.answer(DOCUMENTS, "format=ndjson")
    assert (json.loads(line), line.count(b"\n")) == (right, 1)
    table = pq.read_table(io.BytesIO(runner.answer(DOCUMENTS, "format=parquet")))
    assert json.loads(table.column("json")[0].as_py())["id"] == BIG


def test_a_long_answer_with_json_columns_is_complete(runner: QueryRunner) -> None:
    sql = (
        "-- One row per number.\n-- @page number\n-- @param limit = 30000 [1..30000]: Rows.\n"
        "SELECT number, CAST(concat('{\"n\": ', toString(number), '}'), 'JSON') AS j,"
        " repeat('x', 50) AS text FROM numbers(40000)"
    )
    answer = msgspec.json.decode(runner.answer(sql))
    assert [row["j"] for row in answer["data"]] == [{"n": n} for n in range(30_000)]
    assert answer["next"]


def test_a_json_text_is_embedded_unchanged_but_for_large_integers() -> None:
    text = (
        r'{"a":[1,-2,1.5,1e5,"3",null],"b":{"4":9007199254740991},"c":"\\",  "d":-9007199254740992}'
    )
    line = msgspec.json.encode({"n": 1, "j": text, "k": None})
    right = text.replace("-9007199254740992", '"-9007199254740992"').encode()
    assert json_columns.embed(line + b"\n", ("j", "k")) == b'{"n":1,"j":%b,"k":null}\n' % right


def test_bytes_that_are_not_utf_8_are_kept(runner: QueryRunner) -> None:
    row = runner.answer(f"{HEAD}SELECT 'a\\xff'::Dynamic AS d, 'b\\xfe' AS s")
    assert row == b'{"data":[{"d":"a\xff","s":"b\xfe"}],"next":null}'
