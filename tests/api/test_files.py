"""Wrong endpoint files: each is refused with its line, the fact and the remedy."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from api.contract import endpoints
from api.http import server
from lib import ports
from lib.errors import SetupError, SqlFileError
from tests.api.support import Api

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
        (HEAD + "-- @param n: N.\nSELECT {n}", 3, "{n} is no parameter"),
        (HEAD + "-- @param n: N.\nSELECT {n:UInt8},\n{n:UInt16}", 4, "n is UInt16 here"),
        (HEAD + "-- @param t: T.\nSELECT {t:DateTime}", 3, "a time is taken in UTC"),
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


def test_what_is_read(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "-- One row per trade.\n-- Newest first; {not:Type} ; here.\n"
        "-- @param t = 2024-01-30T10:00:00Z [2024-01-01..]: From when;\n--   a moment.\n"
        "-- @param kinds = [] [..3] /[a-z]+/: Which.\n-- @param name = null: Whose.\n"
        "-- @param ratio = .5 [0.25..0.75]: How much.\n"
        "-- @cache 5\n-- @page a desc, b\n"
        "SELECT ';{x:String}' AS a, {t:DateTime64(3, 'UTC')} AS b, '${KAFKA_TOPIC}' /* ; {y} */\n"
        "WHERE {kinds:Array(String)} != [] AND {name:Nullable(String)} AND {ratio:Float64} ;\n",
    )
    assert (found.summary, found.description) == (
        "One row per trade.",
        "Newest first; {not:Type} ; here.",
    )
    assert [(key.column, key.descending) for key in found.keys] == [("a", True), ("b", False)]
    assert "'ticks'" in found.sql
    t, kinds, name, ratio, limit = found.params
    assert t.text == "From when; a moment."
    assert (t.default.isoformat(), t.low.isoformat()) == (
        "2024-01-30T10:00:00+00:00",
        "2024-01-01T00:00:00+00:00",
    )
    assert (kinds.default, kinds.high, kinds.pattern) == ([], 3, "[a-z]+")
    assert (name.required, name.default) == (False, None)
    assert (ratio.low, ratio.high, ratio.default) == (0.25, 0.75, 0.5)
    assert (limit.default, limit.low, limit.high) == (100, 1, 100_000)


@pytest.mark.parametrize(
    ("sql", "place", "fact"),
    [
        ("SELECT\n    symbl\nFROM stocks.ticks", "trades.sql:3: ", "`symbl`"),
        ("SELECT 1\nFROM stocks.tcks", "trades.sql:3: ", "stocks.tcks"),
        ("SELECT 1\nFRM stocks.ticks", "trades.sql:3: ", "Syntax error"),
        ("SELECT 1 FORMAT CSV", "trades.sql:2: ", "Syntax error"),
    ],
)
def test_validate_asks_clickhouse(
    make_api: Callable[..., Api], sql: str, place: str, fact: str
) -> None:
    api = make_api()
    (api.sql / "trades.sql").write_text(HEAD + sql)
    ended = api.run("validate")
    assert ended.returncode == 2
    assert (place in ended.stderr, fact in ended.stderr) == (True, True), ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_validate_shows_every_wrong_file(make_api: Callable[..., Api]) -> None:
    api = make_api()
    wrong = {
        "a_file": "SELECT 1",
        "b_file": HEAD + "SELECT 1 FROM stocks.tcks",
        "c_file": HEAD + "SELECT {n:UInt8}",
    }
    for name, text in wrong.items():
        (api.sql / f"{name}.sql").write_text(text)
    ended = api.run("validate")
    assert ended.returncode == 2
    places = [line.split(":")[0].rsplit("/", 1)[1] for line in ended.stderr.splitlines()]
    assert places == [f"{name}.sql" for name in wrong]


def test_it_does_not_start_with_a_wrong_file(make_api: Callable[..., Api]) -> None:
    api = make_api()
    (api.sql / "trades.sql").write_text(HEAD + "SELECT 1\nFROM stocks.tcks")
    ended = api.run()
    assert (ended.returncode, "trades.sql:3: " in ended.stderr) == (2, True)


@pytest.mark.parametrize("column", ["nothing", "n", "l"])
def test_a_page_needs_columns_that_order(make_api: Callable[..., Api], column: str) -> None:
    api = make_api()
    text = f"{HEAD}-- @page {column}\nSELECT toNullable(1) AS n, [1] AS l"
    (api.sql / "trades.sql").write_text(text)
    ended = api.run("validate")
    assert (ended.returncode, f"@page {column}: " in ended.stderr) == (2, True)


def test_validate_says_that_all_is_right(make_api: Callable[..., Api]) -> None:
    ended = make_api().run("validate")
    assert (ended.returncode, "endpoints are right" in ended.stdout) == (0, True)


def test_without_a_clickhouse_validate_ends_with_a_line(make_api: Callable[..., Api]) -> None:
    ended = make_api(clickhouse__port=1).run("validate")
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 2)
    assert "does not answer" in ended.stderr


def test_it_listens_elsewhere_only_with_keys(make_api: Callable[..., Api]) -> None:
    ended = make_api().run("--host", "0.0.0.0")
    assert (ended.returncode, "set api.keys" in ended.stderr) == (2, True)


def test_it_listens_on_ipv6_and_says_an_address_that_can_be_opened(
    make_api: Callable[..., Api],
) -> None:
    api = make_api()
    api.client = httpx.Client(base_url=f"http://[::1]:{api.port}", timeout=60)
    api.start("--host", "::1")
    assert f"endpoints at http://[::1]:{api.port}/api/" in api.said()


def test_a_taken_port_is_said_in_a_line(make_api: Callable[..., Api], api: Api) -> None:
    ended = make_api(api__port=api.port).run()
    assert (ended.returncode, "the port is in use" in ended.stderr) == (2, True)


def test_of_two_that_wait_for_their_clickhouse_on_one_port_the_second_is_told() -> None:
    port = ports.free(1)[0]
    with server.bind("127.0.0.1", port) as first, server.bind("127.0.0.1", port) as second:
        server.listen(first, "127.0.0.1", port)
        with pytest.raises(SetupError, match=rf"^127\.0\.0\.1:{port}: the port is in use; end "):
            server.listen(second, "127.0.0.1", port)
