"""Wrong plans, written by hand; tests/e2e/test_plan.py has Flink's."""

import json
from dataclasses import replace
from typing import Any

import pytest

from jobs.plan import compiled_plan
from jobs.targets.calls import Call
from jobs.targets.target import parse

PLACE = "sql/flink/s/900_insert_t.sql:3"
TARGET = "s.t (a, kafka_partition, kafka_offset, kafka_timestamp)"
SCAN, CALC, SINK = (
    "stream-exec-table-source-scan_2",
    "stream-exec-python-calc_1",
    "stream-exec-sink_2",
)


def call(text: str) -> dict[str, Any]:
    """A call of the sink somewhere inside an expression."""
    literal = {"kind": "LITERAL", "value": text, "type": "CHAR(50) NOT NULL"}
    made = {"kind": "CALL", "systemName": "clickhouse_insert", "operands": [literal]}
    return {"kind": "CALL", "internalName": "$+$1", "operands": [made]}


def text_of(*operators: tuple[str, list[int], str], shuffle: str = "FORWARD", **sink: Any) -> str:
    """The JSON of a plan: each operator's type, the ids of its inputs, and its call of the sink."""
    nodes = [
        {"id": number, "type": kind, "projection": [call(called)] if called else []}
        | (sink if kind == SINK else {})
        for number, (kind, _, called) in enumerate(operators, 1)
    ]
    edges = [
        {"source": source, "target": target, "shuffle": {"type": shuffle}}
        for target, (_, sources, _) in enumerate(operators, 1)
        for source in sources
    ]
    return json.dumps({"flinkVersion": "2.3", "nodes": nodes, "edges": edges})


def check(text: str, *targets: str) -> None:
    assert problems(text, *targets) == []


def problems(text: str, *targets: str) -> list[str]:
    calls = [Call(target, PLACE, parse(target)) for target in targets]
    return [*compiled_plan.problems(compiled_plan.read(text), calls)]


def refusal(text: str, *targets: str) -> str:
    (problem,) = problems(text, *targets)
    return problem


def test_one_source_whose_records_stay_in_order_is_right() -> None:
    check(text_of((SCAN, [], ""), (CALC, [1], TARGET), (SINK, [2], "")), TARGET)


def test_inserts_without_the_sink_are_right() -> None:
    check(text_of((SCAN, [], ""), (SINK, [1], "")))


@pytest.mark.parametrize("sources", [0, 2])
def test_records_of_other_than_one_source_have_no_order(sources: int) -> None:
    scans = [(SCAN, [], "")] * sources
    union = ("stream-exec-union_1", [*range(1, sources + 1)], "")
    last = sources + 1
    text = text_of(*scans, union, (CALC, [last], TARGET), (SINK, [last + 1], ""))
    assert refusal(text, TARGET) == (
        f"{PLACE}: its records come from {sources} sources, whose offsets "
        "are not one order; give each source an insert file of its own, with "
        "'table (columns) AS name'."
    )


def test_an_exchange_or_another_shuffle_loses_the_order() -> None:
    exchange = ("stream-exec-exchange_1", [1], "")
    plans = [
        text_of((SCAN, [], ""), exchange, (CALC, [2], TARGET), (SINK, [3], "")),
        text_of((SCAN, [], ""), (CALC, [1], TARGET), (SINK, [2], ""), shuffle="HASH"),
    ]
    for text in plans:
        assert refusal(text, TARGET) == (
            f"{PLACE}: Flink shuffles the records before clickhouse_insert, so that they lose "
            "their order; only filter and CAST, or leave out kafka_partition and kafka_offset "
            "(then a restart may store rows twice)."
        )


@pytest.mark.parametrize("kind", ["correlate", "lookup-join", "window-table-function", "expand"])
def test_several_rows_of_a_record_are_refused_beside_its_dead_letter(kind: str) -> None:
    plan = compiled_plan.read(
        text_of(
            (SCAN, [], ""), (f"stream-exec-{kind}_1", [1], ""), (CALC, [2], TARGET), (SINK, [3], "")
        )
    )
    call = Call(TARGET, PLACE, parse(TARGET))
    # The sink itself stops at such a record unless another insert accounts for it.
    assert [*compiled_plan.problems(plan, [call])] == []
    assert [*compiled_plan.problems(plan, [replace(call, is_beside=True)])] == [
        f"{PLACE}: a join, UNNEST or table function may make several rows of a record, which one "
        "offset cannot tell apart; leave it out, or leave out kafka_partition and kafka_offset "
        "(then a restart may store rows twice)."
    ]


def test_rows_without_an_offset_may_come_in_any_order() -> None:
    plain = "s.t (a)"
    check(text_of((SCAN, [], ""), (CALC, [1], plain), (SINK, [2], ""), shuffle="HASH"), plain)


def test_rows_that_change_are_refused() -> None:
    modes = ["INSERT", "UPDATE_AFTER", "DELETE"]
    text = text_of((SCAN, [], ""), (CALC, [1], TARGET), (SINK, [2], ""), inputChangelogMode=modes)
    assert refusal(text, TARGET) == (
        f"{PLACE}: rows would change once stored (DELETE, UPDATE_AFTER); aggregate over "
        "windows (TUMBLE, HOP), which give each row once, or leave out what filters, ranks or "
        "aggregates updated rows (HAVING, ROW_NUMBER)."
    )
    # A sink that none of the rows flow into may do as it likes.
    operators = [(SCAN, [], ""), (SINK, [1], "")]
    check(text_of(*operators, inputChangelogMode=modes))


@pytest.mark.parametrize("times", [0, 2])
def test_a_call_that_is_left_out_or_duplicated_is_refused(times: int) -> None:
    calcs = [(CALC, [1], TARGET)] * times
    text = text_of((SCAN, [], ""), *calcs, (SINK, [*range(2, times + 2)] or [1], ""))
    united = (
        "; after UNION ALL add CROSS JOIN UNNEST(ARRAY[one of its columns]), so that Flink does "
        "not copy the call into each part"
    )
    assert refusal(text, TARGET) == (
        f"{PLACE}: Flink would call clickhouse_insert {times} times; call it once, first in the "
        "select list of one INSERT INTO ... SELECT" + (united if times else "") + "."
    )
