"""Endpoint files: what is read, and how a wrong one is refused with its line."""

from pathlib import Path

import pytest

from api.contract import endpoints
from lib.errors import SqlFileError
from tests.api.sql_texts import PLACES

HEAD = "-- One row per tick.\n"


def read(folder: Path, text: str, name: str = "trades.sql") -> endpoints.Endpoint:
    path = folder / name
    path.write_text(text)
    return endpoints.read(path, {"KAFKA_TOPIC": "ticks"})


@pytest.mark.parametrize(
    ("text", "line", "fact"),
    [
        ("SELECT 1", 1, "does not begin with a comment"),
        (HEAD + "SELECT 1;\n-- and\nSELECT 2", 2, "a second statement begins"),
        (HEAD + "DROP TABLE x", 2, "no SELECT"),
        (HEAD + "SELECT {n:UInt8}", 2, "{n} is not documented"),
        (HEAD + "-- @param n: N.\nSELECT 1", 2, "n is not used"),
        (HEAD + "-- @param n: N.\nSELECT {n:Thing}", 3, "Thing is no type for a parameter"),
        (HEAD + "-- @param n: N.\nSELECT {n:Identifier}", 3, "Identifier is no type"),
        (HEAD + "-- @param n: N.\nSELECT {n}", 3, "{n} is not a parameter"),
        (HEAD + "-- @param n: N.\nSELECT {n:UInt8},\n{n:UInt16}", 4, "n is UInt16 here"),
        (HEAD + "-- @param t: T.\nSELECT {t:DateTime}", 3, "a time must be in UTC"),
        (HEAD + "-- @param n = 300: N.\nSELECT {n:UInt8}", 2, "the default must be a whole"),
        (HEAD + "-- @param n = 5 [6..]: N.\nSELECT {n:UInt8}", 2, "the default must be"),
        (HEAD + "-- @param n [9..1]: N.\nSELECT {n:UInt8}", 2, "[9..1] is empty"),
        (HEAD + "-- @param n [a..]: N.\nSELECT {n:UInt8}", 2, "each end must be a whole"),
        (HEAD + "-- @param n /[/: N.\nSELECT {n:String}", 2, "fix the pattern"),
        (HEAD + "-- @param n\nSELECT {n:String}", 2, "not understood"),
        (HEAD + "-- @param n: N.\n-- @param n: N.\nSELECT {n:String}", 3, "documented twice"),
        (HEAD + "-- @param cursor: N.\nSELECT {cursor:String}", 3, "cursor is built in"),
        (HEAD + "-- @cache soon\nSELECT 1", 2, "not a number of seconds"),
        (HEAD + "-- @page a up\nSELECT 1 AS a", 2, "@page a up: not understood"),
        (HEAD + "-- @parm n: N.\nSELECT 1", 2, "did you mean @param?"),
        (HEAD + "SELECT '${KAFKA_TOPI}'", 2, "did you mean ${KAFKA_TOPIC}?"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, fact: str
) -> None:
    with pytest.raises(SqlFileError) as caught:
        read(tmp_path, text)
    assert f"trades.sql:{line}: " in str(caught.value)
    assert fact in str(caught.value)


@pytest.mark.parametrize("name", ["Trades.sql", "1x.sql", "a-b.sql"])
def test_a_wrong_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SqlFileError):
        read(tmp_path, HEAD + "SELECT 1", name)


def test_a_file_is_read_with_its_parameters_and_keys(tmp_path: Path) -> None:
    endpoint = read(
        tmp_path,
        "-- One row per trade.\n-- Newest first; {not:Type} ; here.\n"
        "-- @param t = 2024-01-30T10:00:00Z [2024-01-01..]: From when;\n--   a moment.\n"
        "-- @param kinds = [] [..3] /[a-z]+/: Which.\n-- @param name = null: Whose.\n"
        "-- @param ratio = .5 [0.25..0.75]: How much.\n"
        "-- @cache 5\n-- @page a desc, b\n"
        "SELECT ';{x:String}' AS a, {t:DateTime64(3, 'UTC')} AS b, '${KAFKA_TOPIC}' /* ; {y} */\n"
        "WHERE {kinds:Array(String)} != [] AND {name:Nullable(String)} AND {ratio:Float64} ;\n",
    )
    assert (endpoint.summary, endpoint.description) == (
        "One row per trade.",
        "Newest first; {not:Type} ; here.",
    )
    assert [(key.column, key.descending) for key in endpoint.keys] == [("a", True), ("b", False)]
    assert "'ticks'" in endpoint.sql
    t, kinds, name, ratio, limit = endpoint.parameters
    assert t.description == "From when; a moment."
    assert (t.default.isoformat(), t.low.isoformat()) == (
        "2024-01-30T10:00:00+00:00",
        "2024-01-01T00:00:00+00:00",
    )
    assert (kinds.default, kinds.high, kinds.pattern) == ([], 3, "[a-z]+")
    assert (name.required, name.default) == (False, None)
    assert (ratio.low, ratio.high, ratio.default) == (0.25, 0.75, 0.5)
    assert (limit.default, limit.low, limit.high) == (100, 1, 100_000)


def test_a_repeated_parameter_is_read(tmp_path: Path) -> None:
    path = tmp_path / "places.sql"
    path.write_text(PLACES.format(" = 'a, b' [..3] /.*/ repeated"))
    (names,) = endpoints.read(path, {}).parameters
    assert (names.is_repeated, names.default, names.high) == (True, ["a, b"], 3)
