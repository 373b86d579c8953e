"""One test per ClickHouse type, through a real ClickHouse: a value comes back as it was, NULL too
where the type takes it, and what does not fit is refused."""

import uuid
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client

from jobs.sink import columns, insert_policy
from jobs.sink.columns import RefusedValueError
from jobs.targets import types
from lib.errors import JobError

UUID = "61f0c404-5cb3-11e7-907b-a6006ad3dba0"
SETTINGS = {"allow_suspicious_low_cardinality_types": 1}


def decimals(*values: Decimal | int, kind: pa.DataType) -> pa.Array:
    return pa.array([Decimal(value) for value in values], kind)


def maps(*values: Any, to: pa.DataType | None = None) -> pa.Array:
    return pa.array(values, pa.map_(pa.string(), to or pa.int64()))


def ints(*values: int) -> pa.Array:
    return pa.array([str(value) for value in values])


def rows(*values: Any, a: pa.DataType | None = None) -> pa.Array:
    """A ROW<EXPR$0, EXPR$1> as PyFlink passes it."""
    return pa.array(values, pa.struct([("EXPR$0", a or pa.int64()), ("EXPR$1", pa.string())]))


WIDE = {
    "Int128": (-(2**127), 2**127 - 1),
    "UInt128": (0, 2**128 - 1),
    "Int256": (-(2**255), 2**255 - 1),
    "UInt256": (0, 2**256 - 1),
}
# Type, values, how ClickHouse shows them, and values that do not fit.
CASES: list[tuple[str, pa.Array, list[str], list[pa.Array]]] = [
    *(
        (
            kind,
            ints(low, high),
            [str(low), str(high)],
            [ints(low - 1), ints(high + 1), pa.array(["1.0"]), pa.array([1.5])],
        )
        for kind, (low, high) in WIDE.items()
    ),
    *(
        (kind, decimals(5, 10**37, kind=pa.decimal128(38, 0)), ["5", str(10**37)],
         [decimals(Decimal("1.5"), kind=pa.decimal128(38, 1)), pa.array([float("nan")])])
        for kind in WIDE
    ),
    ("Bool", pa.array([True, False]), ["true", "false"], [pa.array([1]), pa.array(["true"])]),
    ("BFloat16", pa.array([1.5, -0.0]), ["1.5", "-0"], [pa.array([1.01]), pa.array([1e39])]),
    ("Float32", pa.array([1.5]), ["1.5"], [pa.array([0.1]), pa.array(["1"])]),
    ("Float64", pa.array([0.1]), ["0.1"], [pa.array([2**53 + 1]), pa.array(["1"])]),
    (
        "Decimal(9, 2)",
        pa.array(["-9999999.99"]),
        ["-9999999.99"],
        [pa.array(["1.005"]), pa.array([10**7])],
    ),
    (
        "Decimal(76, 38)",
        pa.array(["-" + "9" * 38 + "." + "9" * 38]),
        ["-" + "9" * 38 + "." + "9" * 38],
        [pa.array(["1" + "0" * 38]), pa.array(["0." + "0" * 38 + "1"])],
    ),
    ("String", pa.array(["a\0é"]), ["a\0é"], [pa.array([1]), pa.array([True])]),
    ("FixedString(3)", pa.array([b"a\0c"], pa.binary(3)), ["a\0c"], [pa.array(["abcd"])]),
    ("Date", pa.array([date(2149, 6, 6)]), ["2149-06-06"], [pa.array([date(2149, 6, 7)])]),
    ("Date32", pa.array([date(2299, 12, 31)]), ["2299-12-31"], [pa.array([date(2300, 1, 1)])]),
    (
        "DateTime('Asia/Tokyo')",
        pa.array(["2024-01-01T00:00:00"]),
        ["2024-01-01 09:00:00"],
        [pa.array(["1969-12-31T23:59:59"]), pa.array(["2024-01-01T00:00:00.5"])],
    ),
    (
        "DateTime64(9, 'UTC')",
        pa.array(["2262-04-11T23:47:16.854775807", "1900-01-01T00:00:00"]),
        ["2262-04-11 23:47:16.854775807", "1900-01-01 00:00:00.000000000"],
        [pa.array(["2262-04-11T23:47:16.854775808"]), pa.array(["1899-12-31T23:59:59"])],
    ),
    (
        "DateTime64(2, 'UTC')",
        pa.array([datetime(2024, 1, 1, 0, 0, 0, 120_000)]),
        ["2024-01-01 00:00:00.12"],
        [pa.array([datetime(2024, 1, 1, 0, 0, 0, 123_000)]), pa.array([1])],
    ),
    (
        "Time",
        pa.array([time(23, 59, 59)], pa.time32("ms")),
        ["23:59:59"],
        [pa.array([time(0, 0, 0, 1000)], pa.time32("ms")), pa.array(["24:00:00"]), pa.array([5])],
    ),
    (
        "Time64(2)",
        pa.array([time(1, 2, 3, 120_000)], pa.time32("ms")),
        ["01:02:03.12"],
        [pa.array([time(1, 2, 3, 123_000)], pa.time32("ms")), pa.array(["x"])],
    ),
    (
        "Time64(6)",
        pa.array(["01:02:03.123456"]),
        ["01:02:03.123456"],
        [pa.array([5]), pa.array(["01:02:03.1234567"]), pa.array(["1:2:3"])],
    ),
    (
        r"Enum8('a, b' = -1, 'it\'s' = 2, '2' = 3)",
        pa.array(["a, b", "it's", "2"]),
        ["a, b", "it's", "2"],
        [pa.array(["3"]), pa.array([2]), pa.array([""])],
    ),
    ("Enum16('b' = 2000)", pa.array(["b"], pa.large_string()), ["b"], [pa.array(["2000"])]),
    (
        "UUID",
        pa.array([UUID, UUID.upper()]),
        [UUID, UUID],
        [pa.array([f"{{{UUID}}}"]), pa.array([UUID[:-1]]), pa.array([""]), pa.array([b"123"])],
    ),
    ("UUID", pa.array([bytes.fromhex(UUID.replace("-", ""))], pa.binary(16)), [UUID],
     [pa.array([5])]),
    (
        "IPv4",
        pa.array(["255.255.255.255", "0.0.0.1"]),
        ["255.255.255.255", "0.0.0.1"],
        [pa.array(["1.2.3"]), pa.array(["1.2.3.256"]), pa.array(["::1"]), pa.array([5])],
    ),
    (
        "IPv6",
        pa.array(["2001:db8::1", "1.2.3.4", "::ffff:1.2.3.4"]),
        ["2001:db8::1", "::ffff:1.2.3.4", "::ffff:1.2.3.4"],
        [pa.array(["fe80::1%eth0"]), pa.array([":::"]), pa.array([b"123"]), pa.array([5])],
    ),
    (
        "Array(UInt256)",
        pa.array([[str(2**256 - 1)], []]),
        [f"[{2**256 - 1}]", "[]"],
        [pa.array([["-1"]]), pa.array([["1", None]]), pa.array([["1"], None]), pa.array(["1"])],
    ),
    (
        "Array(Array(Nullable(UUID)))",
        pa.array([[[UUID, None], []]]),
        [f"[['{UUID}',NULL],[]]"],
        [pa.array([[["x"]]]), pa.array([[None]], pa.list_(pa.list_(pa.string())))],
    ),
    (
        "Map(String, Int64)",
        maps([("b", 2**53 + 1), ("a", 1)], []),
        ["{'b':9007199254740993,'a':1}", "{}"],
        [maps([("a", None)]), maps(None), maps([("a", "x")], to=pa.string()), pa.array([[1]])],
    ),
    (
        "Map(LowCardinality(String), Array(Decimal(76, 2)))",
        maps([("a", ["1.50"])], to=pa.list_(pa.string())),
        ["{'a':[1.5]}"],
        [maps([("a", ["1.505"])], to=pa.list_(pa.string()))],
    ),
    (
        "Tuple(Int64, String)",
        rows((2**53 + 1, "a"), (2, "")),
        ["(9007199254740993,'a')", "(2,'')"],
        [rows((1, None)), rows(None), pa.array([{"a": 1}]), rows(("x", "a"), a=pa.string())],
    ),
    (
        "Tuple(`b c` Int8, a Nullable(String))",
        rows((127, None)),
        ["(127,NULL)"],
        [rows((128, "")), rows((None, ""))],
    ),
    ("Point", pa.array(["[1.5, 2.5]"]), ["(1.5,2.5)"], [pa.array(["[1.5]"])]),
    (
        "Polygon",
        pa.array(["[[[1.5,2.5]]]"]),
        ["[[(1.5,2.5)]]"],
        [pa.array(["[[1.5,2.5]]"])],
    ),
    ("SimpleAggregateFunction(max, UInt64)", pa.array([7]), ["7"], [pa.array([-1])]),
    ("SimpleAggregateFunction(anyLast, LowCardinality(Nullable(String)))",
     pa.array(["a", None]), ["a", None], [pa.array([1])]),
    ("SimpleAggregateFunction(groupArrayArray, Array(String))", pa.array([["a"]]), ["['a']"],
     [pa.array([[None]], pa.list_(pa.string()))]),
    ("LowCardinality(String)", pa.array(["a"]), ["a"], [pa.array([1])]),
    ("LowCardinality(FixedString(2))", pa.array(["ab"]), ["ab"], [pa.array(["abc"])]),
    ("LowCardinality(UUID)", pa.array([UUID]), [UUID], [pa.array(["x"])]),
]  # fmt: skip

_NEVER_NULL = ("Array", "Map", "LowCardinality", "SimpleAggregateFunction", "Point", "Polygon")


def stored(client: Client, database: str, kind: str, array: pa.Array) -> list[Any]:
    """The values in ClickHouse after a cast and an insert as in the sink."""
    table = f"{database}.`bid, ask`"
    client.command(
        f"CREATE OR REPLACE TABLE {table} (id UInt32 DEFAULT rowNumberInAllBlocks(),"
        f" `high/low` {kind}) ENGINE = MergeTree ORDER BY tuple()",
        settings=SETTINGS,
    )
    shown = client.query(
        "SELECT type FROM system.columns WHERE database = {d:String} AND name = 'high/low'",
        {"d": database},
    ).first_row[0]
    column = types.column("high/low", shown)
    batch = pa.table([columns.cast(column, array, 0)], schema=types.schema([column]))
    client.insert_arrow(
        table, batch, settings=insert_policy.settings(uuid.uuid4().hex, uuid.uuid4().hex)
    )
    query = f"SELECT toString(`high/low`) FROM {table} ORDER BY id"
    return [row[0] for row in client.query(query).result_rows]


@pytest.mark.parametrize(
    ("kind", "values", "shown", "beyond"),
    CASES,
    ids=[f"{case[0]} {case[1].type}" for case in CASES],
)
def test_a_type_keeps_its_values_and_refuses_others(
    client: Client,
    database: str,
    kind: str,
    values: pa.Array,
    shown: list[str],
    beyond: list[pa.Array],
) -> None:
    assert stored(client, database, kind, values) == shown
    nothing = pa.nulls(1, values.type)
    takes_null = not kind.startswith(_NEVER_NULL)
    if takes_null:
        both = pa.concat_arrays([nothing, values, nothing])
        assert stored(client, database, f"Nullable({kind})", both) == [None, *shown, None]
    column = types.column("x", kind)
    for array in [*beyond, *([] if "Nullable" in kind else [nothing])]:
        with pytest.raises(RefusedValueError, match=r"^column x "):
            columns.cast(column, array, 0)


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        (
            "Array(Tuple(bid Float64, size UInt64))",
            '[{"bid": 1.5, "size": 18446744073709551615}, [2, 3]]',
            "[(1.5,18446744073709551615),(2,3)]",
        ),
        (
            "Tuple(at DateTime64(9, 'UTC'), d Date, t Tuple(UUID, Nullable(IPv4)))",
            f'{{"t": ["{UUID}", null], "d": "2024-02-29", "at": "2024-01-01T00:00:00.123456789"}}',
            f"('2024-01-01 00:00:00.123456789','2024-02-29',('{UUID}',NULL))",
        ),
        ("Map(String, Map(String, Bool))", '{"a": {"b": true}}', "{'a':{'b':true}}"),
        ("Map(Int64, Array(Decimal(76, 3)))", '{"5": [1.250, -1e2, "0.5"]}', "{5:[1.25,-100,0.5]}"),
        ("Array(String)", '["", "\\u00e9"]', "['','é']"),
        ("Array(Nullable(Tuple(Int8)))", "[null, [1]]", "[NULL,(1)]"),
    ],
)
def test_a_value_that_flink_cannot_pass_comes_as_json(
    client: Client, database: str, kind: str, text: str, shown: str
) -> None:
    assert stored(client, database, kind, pa.array([text])) == [shown]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("Array(Int64)", "[1.5]"),
        ("Array(Int64)", "[true]"),
        ("Array(Int64)", "[1, null]"),
        ("Array(Int64)", "[1"),
        ("Array(Int64)", "{}"),
        ("Array(Int64)", "null"),
        ("Array(Float64)", '["1"]'),
        ("Array(Float64)", "[NaN]"),
        ("Array(String)", "[1]"),
        ("Array(Bool)", "[1]"),
        ("Array(Date)", '["2024-02-30"]'),
        ("Array(Date)", '["1969-12-31"]'),
        ("Map(String, Int64)", "[]"),
        ("Map(Int8, Int64)", '{"128": 1}'),
        ("Tuple(a Int64, b Int64)", '{"a": 1}'),
        ("Tuple(a Int64, b Int64)", '{"a": 1, "b": 2, "b": 3}'),
        ("Tuple(a Int64, b Int64)", "[1, 2, 3]"),
        ("Tuple(a Int64, b Int64)", "5"),
    ],
)
def test_json_of_another_form_is_refused(kind: str, text: str) -> None:
    with pytest.raises(RefusedValueError, match=r"^column x .+ cannot take .+: .+; filter or CAST"):
        columns.cast(types.column("x", kind), pa.array([text]), 0)


def test_a_refused_value_in_a_list_is_in_the_row_of_the_list() -> None:
    column = types.column("x", "Array(Int8)")
    with pytest.raises(RefusedValueError) as error:
        columns.cast(column, pa.array([[1, 2], [3, 4, 5], [6, 300]]), 0)
    assert error.value.row == 2
    assert str(error.value).startswith("column x Array(Int8) cannot take [6, 300]: ")


@pytest.mark.parametrize(
    "kind",
    ["JSON", "Dynamic", "Variant(Int64, String)", "AggregateFunction(max, Int64)", "Frob(3)"],
)
def test_types_that_cannot_be_filled_are_refused(kind: str) -> None:
    for whole in (kind, f"Array({kind})", f"Map(String, {kind})", f"Tuple(a {kind})"):
        with pytest.raises(JobError, match="which clickhouse_insert cannot fill"):
            types.column("x", whole)
