from pathlib import Path

import pytest

from lib import sqlfiles
from lib.errors import SqlFileError
from lib.sqlfiles import SqlFile

HEADER = "-- One row per x.\n"
NAMES = "NNN_<kind>_<name>.sql, kind one of function, source, table, view, sink, alter, insert."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder below the current one, so that errors show short paths."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sql").mkdir()
    return tmp_path / "sql"


def write(folder: Path, name: str, text: str | bytes) -> Path:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / name


def fails(path: Path) -> str:
    with pytest.raises(SqlFileError) as error:
        (sqlfiles.load if path.is_dir() else sqlfiles.read)(path)
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("001_table_x.sql", "CREATE TABLE x (a Int8) ENGINE = Memory"),
        ("001_table_x.sql", "create table if not exists db.x (a Int8)"),
        ("001_table_x.sql", "CREATE OR REPLACE TABLE `db`.`x` (a Int8)"),
        ("001_table_x.sql", "CREATE TEMPORARY TABLE IF NOT EXISTS x (a INT)"),
        ("002_alter_x.sql", "ALTER TABLE db.x ADD COLUMN IF NOT EXISTS b Int8"),
        ("002_alter_x.sql", "alter table if exists `x` /* b */ drop column b"),
        ("003_view_x.sql", "DROP VIEW IF EXISTS db.x"),
        ("001_view_x.sql", "CREATE MATERIALIZED VIEW x TO y AS SELECT 1"),
        ("001_view_x.sql", "CREATE OR REPLACE TEMPORARY VIEW x AS SELECT 1"),
        ("001_view_x.sql", "/* a; */ CREATE -- b;\nVIEW x AS SELECT ';', `;`, \";\", 'it''s;'"),
        ("001_view_x.sql", "CREATE VIEW x AS SELECT '--', 1; -- end; of it\n/* ; */\n"),
        ("001_view_x.sql", "CREATE VIEW x AS SELECT 'a\\';b', '/*', 2, '*/'"),
        ("001_function_f1.sql", "CREATE TEMPORARY SYSTEM FUNCTION f1 AS 'm.f' LANGUAGE PYTHON"),
        ("001_source_x.sql", "CREATE TABLE x WITH ('connector' = 'kafka')"),
        ("900_insert_x.sql", "INSERT INTO x SELECT 1"),
        ("900_insert_x.sql", "insert into `db`.`x` select 1"),
        ("900_insert_x.sql", "INSERT INTO done SELECT clickhouse_insert('db.x (a)', a) FROM t"),
        ("900_insert_done.sql", "INSERT INTO done SELECT clickhouse_insert('db.x (a)', a) FROM t"),
        ("900_insert_my_x.sql", "INSERT INTO y SELECT clickhouse_insert('`d-b`.`My-x` (a)', a)"),
        ("001_table_my_x.sql", 'CREATE TABLE "d-b"."my-x" (a Int8) ENGINE = Memory'),
    ],
)
def test_a_file_that_keeps_the_contract_is_read(folder: Path, name: str, statement: str) -> None:
    file = sqlfiles.read(write(folder, name, HEADER + statement))
    assert file.place == f"sql/{name}"
    assert f"{file.number:03}_{file.kind}_{file.name}.sql" == name
    assert file.text == (HEADER + statement).partition("; -- end")[0].rstrip()


def test_line_ends_and_a_byte_order_mark_make_no_difference(folder: Path) -> None:
    text = HEADER + "CREATE VIEW x AS\nSELECT 'a\nb';\n"
    plain = sqlfiles.read(write(folder, "001_view_x.sql", text))
    for data in (text.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + text.encode()):
        assert sqlfiles.read(write(folder, "001_view_x.sql", data)) == plain


@pytest.mark.parametrize(
    "name", ["x.sql", "1_view_x.sql", "0001_view_x.sql", "001_query_x.sql", "001_view_X.sql",
             "001_view_.sql", "001-view-x.sql", "001_view_x.SQL", "001_view_x y.sql"]
)  # fmt: skip
def test_a_malformed_name_is_refused_in_its_folder(folder: Path, name: str) -> None:
    write(folder, name, HEADER + "CREATE VIEW x AS SELECT 1")
    assert fails(folder) == f"sql/{name}: not a SQL file's name; call it {NAMES}"


@pytest.mark.parametrize("text", ["", "\n-- One row.\n", "CREATE VIEW x AS SELECT 1", "--\nCREATE",
                                  "--   \n-- One row.\n", "/* One row. */\n"])  # fmt: skip
def test_a_file_without_a_first_comment_is_refused(folder: Path, text: str) -> None:
    assert fails(write(folder, "001_view_x.sql", text)) == (
        "sql/001_view_x.sql:1: does not begin with a comment; "
        "say what one row means, as `-- One row per ...`."
    )


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("CREATE VIEW x AS SELECT 1; SELECT 2", 2),
        ("CREATE VIEW x AS\nSELECT 'a;b';\nSELECT 2;", 3),
        ("CREATE VIEW x AS SELECT 1;;", 2),
        ("CREATE VIEW x AS SELECT 1 /* /* ; */; */", 2),
    ],
)
def test_a_second_statement_is_refused_with_its_line(
    folder: Path, statement: str, line: int
) -> None:
    assert fails(write(folder, "001_view_x.sql", HEADER + statement)) == (
        f"sql/001_view_x.sql:{line}: a second statement begins; put it into a file of its own."
    )


VIEW = " statement, which view in its name stands for; change the statement or the name."
ALTER = VIEW.replace("view", "alter")


@pytest.mark.parametrize(
    ("name", "statement", "fact"),
    [
        ("001_view_x.sql", "SELECT 1", f"no CREATE or DROP{VIEW}"),
        ("001_table_x.sql", "ALTER TABLE x DROP COLUMN b", "no CREATE or DROP statement, which"),
        ("001_view_x.sql", "-- more", f"no CREATE or DROP{VIEW}"),
        ("001_view_x.sql", "INSERT INTO x SELECT 1", "no CREATE or DROP statement"),
        ("002_alter_x.sql", "CREATE TABLE x (a Int8)", f"no ALTER{ALTER}"),
        ("002_alter_x.sql", "DROP TABLE x", f"no ALTER{ALTER}"),
        ("002_alter_x.sql", "ALTER TABLE y DROP COLUMN b", "makes, alters or fills y, but is"),
        ("001_insert_x.sql", "CREATE VIEW x AS SELECT 1", "no INSERT INTO statement, which insert"),
        (
            "001_view_x.sql",
            "CREATE VIEW y AS SELECT 1",
            "makes, alters or fills y, but is called x; let ",
        ),
        (
            "001_view_y.sql",
            "CREATE MATERIALIZED VIEW x TO y AS SELECT 1",
            "makes, alters or fills x, but",
        ),
        ("001_view_x.sql", "CREATE VIEW `x y` AS SELECT 1", "makes, alters or fills x y, but is"),
        (
            "900_insert_z.sql",
            "INSERT INTO done SELECT clickhouse_insert('db.x (a)', a) FROM t",
            "makes, alters or fills done and x, but is called z; let file and name agree.",
        ),
        (
            "900_insert_z.sql",
            "INSERT INTO x SELECT clickhouse_insert('', a)",
            "makes, alters or fills",
        ),
        (
            "900_insert_z.sql",
            "INSERT INTO x SELECT a -- clickhouse_insert('db.z (a)', a)\nFROM t",
            "makes, alters or fills x, but is called z",
        ),
    ],
)
def test_a_file_that_makes_something_else_is_refused(
    folder: Path, name: str, statement: str, fact: str
) -> None:
    assert f"sql/{name}: {fact}" in fails(write(folder, name, HEADER + statement))


@pytest.mark.parametrize("name", ["050_set_ttl.sql", "050_view_ttl.sql"])
@pytest.mark.parametrize("statement", ["SET 'table.exec.state.ttl' = '1 h'", "reset 'x';"])
def test_an_option_as_a_statement_is_refused(folder: Path, name: str, statement: str) -> None:
    fact = fails(write(folder, name, HEADER + statement))
    assert f"sql/{name}: SET is no statement of a file; write Flink's options of one job" in fact


def test_a_file_that_is_not_text_is_refused(folder: Path) -> None:
    path = write(folder, "001_view_x.sql", b"-- \xff\xfe")
    assert fails(path).startswith("sql/001_view_x.sql: cannot be read: ")
    (folder / "002_view_y.sql").mkdir()
    with pytest.raises(SqlFileError, match=r"002_view_y\.sql: cannot be read"):
        sqlfiles.read(folder / "002_view_y.sql")


def test_a_folder_is_read_in_order_and_without_other_files(folder: Path) -> None:
    for number, name in ((20, "c"), (3, "b"), (100, "a")):
        write(folder, f"{number:03}_view_{name}.sql", f"{HEADER}CREATE VIEW {name} AS SELECT 1")
    write(folder, "README.md", "text")
    write(folder, ".sqlfluff", "")
    assert [file.name for file in sqlfiles.load(folder)] == ["b", "c", "a"]


def test_a_number_is_used_once(folder: Path) -> None:
    for name in ("a", "b"):
        write(folder, f"001_view_{name}.sql", f"{HEADER}CREATE VIEW {name} AS SELECT 1")
    assert fails(folder) == (
        "sql/001_view_b.sql: number 001 is taken by sql/001_view_a.sql; take another."
    )


def test_an_empty_or_missing_folder_is_refused(folder: Path) -> None:
    assert fails(folder) == "sql: holds no .sql file; add one, as 001_table_<name>.sql."
    for name, near in (("sqll", "did you mean sql?"), ("q", "make it and put SQL files there.")):
        with pytest.raises(SqlFileError) as error:
            sqlfiles.load(folder.parent / name)
        assert str(error.value) == f"{name}: no such folder; {near}"


def file(text: str) -> SqlFile:
    return SqlFile(1, "view", "x", "sql/001_view_x.sql", text)


def test_targets_and_topics_are_found_outside_comments() -> None:
    statement = file(
        "-- clickhouse_insert('a.no (x)', 'topic' = 'no')\n"
        "SELECT /*\n*/ CLICKHOUSE_INSERT (\n 'a.yes (x, `it''s`)', x), 'topic' = 'ticks',"
        " 'topic'='b-c; d'"
    )
    assert statement.targets == [("a.yes (x, `it's`)", "sql/001_view_x.sql:3")]
    assert statement.topics == ["ticks", "b-c", "d"]


@pytest.mark.parametrize(
    ("text", "database"),
    [
        ("-- a.b\nCREATE TABLE IF NOT EXISTS sensors.readings (a Int8)", "sensors"),
        ("create materialized view `my db`.v TO c.d AS SELECT 1", "`my db`"),
        ("CREATE TABLE readings (a Int8)", ""),
        ("ALTER TABLE sensors.readings ADD COLUMN a Int8", ""),
        ("INSERT INTO sensors.readings SELECT 1", ""),
    ],
)
def test_a_created_table_names_its_database(text: str, database: str) -> None:
    assert file(text).database == database


def test_condensed_text_means_the_same() -> None:
    text = "-- One.\nSELECT  'a  -- b' /* x */,\n\t`c  d`\n"
    assert sqlfiles.condensed(text) == "SELECT 'a  -- b' , `c  d`"
