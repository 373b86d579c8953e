"""The beginning of an INSERT's data, and the format of a statement."""

import pytest

from local.clickhouse.engine.statement import as_subquery, output_format, split_insert


@pytest.mark.parametrize(
    ("sql", "head", "fmt", "data"),
    [
        (b"INSERT INTO t FORMAT CSV\n1", b"INSERT INTO t ", "CSV", b"1"),
        (b"INSERT INTO t FORMAT CSV \r\n1", b"INSERT INTO t ", "CSV", b"1"),
        (b"INSERT INTO t FORMAT CSV\n\n1", b"INSERT INTO t ", "CSV", b"\n1"),
        (b"insert into t(a) values (1)", b"insert into t(a) ", "Values", b" (1)"),
        (b"INSERT INTO values VALUES (1)", b"INSERT INTO values ", "Values", b" (1)"),
        (b"INSERT INTO `a FORMAT b` FORMAT TSV x", b"INSERT INTO `a FORMAT b` ", "TSV", b"x"),
        (b"-- VALUES\nINSERT INTO t VALUES(1)", b"-- VALUES\nINSERT INTO t ", "Values", b"(1)"),
        (b"INSERT INTO t (`values`, format) FORMAT Native\n\xff", None, "Native", b"\xff"),
        (b"INSERT INTO format.values FORMAT CSV\n1", b"INSERT INTO format.values ", "CSV", b"1"),
        (b"INSERT INTO t", b"INSERT INTO t", None, b""),
    ],
)
def test_an_insert_is_split(sql: bytes, head: bytes | None, fmt: str | None, data: bytes) -> None:
    insert = split_insert(sql)
    assert insert.fmt == fmt
    assert sql[insert.data_start :] == data
    assert head is None or insert.head == head


@pytest.mark.parametrize(
    ("sql", "head", "settings"),
    [
        (b"INSERT INTO t SETTINGS a = 1 FORMAT CSV", b"INSERT INTO t ", b"SETTINGS a = 1"),
        (
            b"INSERT INTO t (settings) SETTINGS a = 1",
            b"INSERT INTO t (settings) ",
            b"SETTINGS a = 1",
        ),
        (b"INSERT INTO settings FORMAT CSV", b"INSERT INTO settings ", b""),
        (b"INSERT INTO t FORMAT CSV\nSETTINGS", b"INSERT INTO t ", b""),
        (b"INSERT INTO t FORMAT Settings\n1", b"INSERT INTO t ", b""),
    ],
)
def test_settings_are_split_from_the_target(
    sql: bytes, head: bytes | None, settings: bytes
) -> None:
    insert = split_insert(sql)
    assert (insert.head, insert.settings) == (head, settings)


def test_the_data_is_read_from_a_file() -> None:
    insert = split_insert(b"INSERT INTO t -- all\nSETTINGS a = 1 -- one\nFORMAT CSV\n1")
    assert insert.from_infile("/data", "CSV") == (
        b"INSERT INTO t -- all\n\nFROM INFILE '/data' COMPRESSION 'none'\n"
        b"SETTINGS a = 1 -- one\nFORMAT `CSV`"
    )


@pytest.mark.parametrize(
    "sql",
    [
        b"SELECT 1",
        b"",
        b"INSERT INTO t SELECT 1 FORMAT CSV",
        b"INSERT INTO t WITH 1 AS x SELECT x",
        b"INSERT INTO t FROM INFILE 'x' FORMAT CSV",
        b"'INSERT INTO t VALUES'",
    ],
)
def test_other_statements_are_not_split(sql: bytes) -> None:
    assert split_insert(sql) is None


@pytest.mark.parametrize(
    ("sql", "fmt"),
    [
        (b"SELECT 1", None),
        (b"SELECT 1 FORMAT JSON", "JSON"),
        (b"SELECT 1 format JSON; -- FORMAT CSV", "JSON"),
        (b"SELECT 1 FORMAT JSON SETTINGS max_threads = 1", "JSON"),
        (b"SELECT format FROM t", None),
        (b"SELECT 'FORMAT CSV', 1 /* FORMAT CSV */", None),
        (b"SELECT * FROM (SELECT 1 FORMAT CSV)", None),
        (b"SELECT $$ FORMAT CSV $$", None),
        (b"SELECT 'it''s \\' FORMAT CSV'", None),
    ],
)
def test_the_format_of_a_statement(sql: bytes, fmt: str | None) -> None:
    assert output_format(sql) == fmt


@pytest.mark.parametrize(
    ("sql", "subquery"),
    [
        (b"SELECT 1", b"(SELECT 1\n)"),
        (b"with 1 AS x SELECT x -- done", b"(with 1 AS x SELECT x -- done\n)"),
        (b"(SELECT 1) FORMAT CSV", b"((SELECT 1) \n)"),
        (
            b"SELECT ';' FORMAT Native SETTINGS max_threads = 1;",
            b"(SELECT ';'  SETTINGS max_threads = 1\n)",
        ),
        (b"SHOW TABLES", None),
        (b"", None),
    ],
)
def test_a_select_as_a_subquery(sql: bytes, subquery: bytes | None) -> None:
    assert as_subquery(sql) == subquery
