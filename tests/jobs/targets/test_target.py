import pytest

from jobs.targets.target import Target, parse
from lib.errors import JobError


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("stocks.ticks (a)", Target("stocks", "ticks", ("a",), "ticks")),
        (" stocks.ticks(a,b , `c`) ", Target("stocks", "ticks", ("a", "b", "c"), "ticks")),
        ("s.t\n(\n  a,\n  b\n)", Target("s", "t", ("a", "b"), "t")),
        ("s.t (a) as Late", Target("s", "t", ("a",), "Late")),
        (
            '`my-db`.`ticks` (`bid, ask`, "high/low", n.a, `(`)',
            Target("my-db", "ticks", ("bid, ask", "high/low", "n.a", "("), "ticks"),
        ),
        (
            r'`a``b`.`a.b` (`it\'s`, `c\\d`, "e""f")',
            Target("a`b", "a.b", ("it's", "c\\d", 'e"f'), "a.b"),
        ),
    ],
)
def test_a_target_names_table_columns_and_writer(text: str, target: Target) -> None:
    assert parse(text) == target


TRACKED = "s.t (a, kafka_partition, kafka_offset, kafka_timestamp)"


def test_a_target_may_name_a_table_of_dead_letters() -> None:
    target = parse(f"{TRACKED}\n  AS u ELSE `my-db`.dead (reason)")
    assert (target.name, target.dead_letters) == ("u", ("my-db", "dead"))
    assert target.dead_letter_table == "`my-db`.dead"
    assert target.values == (*target.columns, "reason")
    plain = parse(TRACKED)
    assert (plain.dead_letter_table, plain.values) == ("", plain.columns)


@pytest.mark.parametrize("columns", ["a", "a, kafka_partition, kafka_offset"])
def test_dead_letters_need_rows_that_identify_their_record(columns: str) -> None:
    with pytest.raises(JobError, match="has ELSE, but its rows do not identify their records; "):
        parse(f"s.t ({columns}) ELSE s.dead (reason)")


def test_a_table_with_partition_and_offset_is_tracked() -> None:
    assert parse("s.t (kafka_offset, a, kafka_partition)").is_tracked
    assert not parse("s.t (a, kafka_timestamp)").is_tracked


@pytest.mark.parametrize("place", ["kafka_partition", "kafka_offset"])
def test_a_partition_or_an_offset_alone_is_refused(place: str) -> None:
    with pytest.raises(JobError) as error:
        parse(f"s.t (a, {place})")
    assert str(error.value) == (
        f"clickhouse_insert: 's.t (a, {place})' names {place} alone, which does not say which "
        "record a row is; name kafka_partition and kafka_offset, or neither (then a restart may "
        "store rows twice)."
    )


@pytest.mark.parametrize(
    "text",
    ["", "t (a)", "s.t", "s.t ()", "s.t (a,)", "s.t (a, a)", "s.t (a) AS", "s.t (a) AS x y",
     "s.t (a); DROP TABLE x", "s.t (f(a))", "a.b.c (a)", "s.1t (a)", "my-db.t (a)", "s.t (``)",
     "s.t (a, `a`)", "s.`t (a)", f"{TRACKED} ELSE s.d", f"{TRACKED} ELSE s.d (a)",
     f"{TRACKED} ELSE s.d (reason) AS u"],
)  # fmt: skip
def test_anything_else_is_refused_and_shown(text: str) -> None:
    with pytest.raises(JobError) as error:
        parse(text)
    assert str(error.value).startswith(f"clickhouse_insert: {text!r} is not a target; write ")


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("s.t (a)", "s.t"),
        ("`s`.`t` (a)", "s.t"),
        ("`my-db`.ticks (a)", "`my-db`.ticks"),
        ('s."a.`b" (a)', r"s.`a.\`b`"),
    ],
)
def test_a_table_is_quoted_where_it_must_be(text: str, table: str) -> None:
    assert parse(text).table == table
