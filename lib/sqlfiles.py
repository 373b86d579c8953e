"""Read SQL files: NNN_<kind>_<name>.sql with one statement, after a comment on what a row means."""

import difflib
import re
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

from lib.errors import SqlFileError
from lib.files import show
from lib.sql_lexer import blanked, lexemes, tokens

KINDS = ("function", "source", "table", "view", "sink", "alter", "insert")

_FILE_NAME = re.compile(
    rf"(?P<number>\d{{3}})_(?P<kind>{'|'.join(KINDS)})_(?P<name>[a-z0-9_]+)\.sql"
)
_PART = r"(?:`[^`]+`|\"[^\"]+\"|\w+)"
_NAME = rf"{_PART}(?:\.{_PART})*"
_OBJECT = (
    r"(?:OR\s+REPLACE\s+)?(?:TEMPORARY\s+)?(?:SYSTEM\s+|MATERIALIZED\s+)?"
    rf"(?:TABLE|VIEW|FUNCTION|MODEL)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?P<name>{_NAME})"
)
_CREATES = re.compile(rf"CREATE\s+{_OBJECT}", re.IGNORECASE)
# The statement of each kind, and its words in an error; of all other kinds it is _MAKES.
_MAKES = re.compile(rf"(?:CREATE|DROP)\s+{_OBJECT}", re.IGNORECASE), "CREATE or DROP"
_STATEMENTS = {
    "alter": (re.compile(rf"ALTER\s+{_OBJECT}", re.IGNORECASE), "ALTER"),
    "insert": (re.compile(rf"INSERT\s+INTO\s+(?P<name>{_NAME})", re.IGNORECASE), "INSERT INTO"),
}
_CALLS = re.compile(r"clickhouse_insert\s*\(\s*'(?P<target>(?:[^']|'')*)'", re.IGNORECASE)

_TOPIC = re.compile(r"'topic'\s*=\s*'(?P<names>[^']+)'")


@dataclass(frozen=True, slots=True)
class SqlFile:
    """One statement; `place` is the path that errors show."""

    number: int
    kind: str
    name: str
    place: str
    text: str

    @property
    def database(self) -> str:
        """The database that a CREATE statement names, as written; empty if it names none."""
        match = _CREATES.match(without_comments(self.text).strip())
        parts: list[str] = re.findall(_PART, match["name"]) if match else []
        return parts[-2] if len(parts) > 1 else ""

    @property
    def targets(self) -> list[tuple[str, str]]:
        """The first argument of each clickhouse_insert call, 'db.table (columns)', and the place
        of the call: path and line."""
        text = without_comments(self.text)
        return [
            (match["target"].replace("''", "'"), f"{self.place}:{line_of(text, match.start())}")
            for match in _CALLS.finditer(text)
        ]

    @property
    def topics(self) -> list[str]:
        """The Kafka topics that a source or sink names."""
        lists = [match["names"] for match in _TOPIC.finditer(without_comments(self.text))]
        return [name.strip() for names in lists for name in names.split(";")]


def load(folder: Path) -> list[SqlFile]:
    """All files of a folder in order of number; raise SqlFileError for the first that is wrong."""
    if not folder.is_dir():
        siblings = [path.name for path in folder.parent.glob("*/")]
        near = difflib.get_close_matches(folder.name, siblings, n=1)
        remedy = f"did you mean {near[0]}?" if near else "make it and put SQL files there."
        raise SqlFileError(f"{show(folder)}: no such folder; {remedy}")
    # With endings in upper case: 010_TABLE_X.SQL must be refused, not ignored.
    files = [read(path) for path in sorted(folder.iterdir()) if path.suffix.lower() == ".sql"]
    if not files:
        raise SqlFileError(f"{show(folder)}: holds no .sql file; add one, as 001_table_<name>.sql.")
    for first, second in pairwise(files):
        if first.number == second.number:
            raise SqlFileError(
                f"{second.place}: number {second.number:03} is taken by {first.place}; "
                "take another."
            )
    return files


def read(path: Path) -> SqlFile:
    """Read one file; raise SqlFileError if it breaks the contract of all SQL files."""
    place = show(path)
    match = _FILE_NAME.fullmatch(path.name)
    text = content(path)
    _check_no_option(place, text)
    if not match:
        raise SqlFileError(
            f"{place}: not a SQL file's name; "
            f"call it NNN_<kind>_<name>.sql, kind one of {', '.join(KINDS)}."
        )
    file = SqlFile(
        int(match["number"]), match["kind"], match["name"], place, one_statement(place, text)
    )
    _check_header(place, text)
    _check_name(file)
    return file


def content(path: Path) -> str:
    """The text of one file; raise SqlFileError if it is not UTF-8 or cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SqlFileError(
            f"{show(path)}: cannot be read: {error}; make it a UTF-8 text file."
        ) from error


def one_statement(place: str, text: str) -> str:
    """The text up to its one semicolon, if there is one; raise if a second statement begins."""
    stream = lexemes(text)
    end = next((token for token in stream if token.text == ";"), None)
    if end and next(stream, None):
        line = line_of(text, end.start)
        raise SqlFileError(
            f"{place}:{line}: a second statement begins; put it into a file of its own."
        )
    return text[: end.start if end else None].rstrip()


def without_comments(text: str) -> str:
    """The statement with blanks in the place of comments, so that positions stay."""
    return blanked(text, "comment")


def condensed(text: str) -> str:
    """The statement with comments and white space made single spaces; strings stay as they are."""
    runs = groupby(tokens(text), lambda token: token.is_blank)
    return "".join(" " if blank else "".join(t.text for t in run) for blank, run in runs).strip()


def line_of(text: str, position: int) -> int:
    """The line of a place in a text, from 1."""
    return text.count("\n", 0, position) + 1


def _check_no_option(place: str, text: str) -> None:
    if re.match(r"(?:RE)?SET\b", without_comments(text).strip(), re.IGNORECASE):
        raise SqlFileError(
            f"{place}: SET is no statement of a file; write Flink's options of one job into "
            "flink.yaml beside its files, and ClickHouse's settings into the statement."
        )


def _check_header(place: str, text: str) -> None:
    if not re.match(r"--[^\S\n]*\S", text):
        raise SqlFileError(
            f"{place}:1: does not begin with a comment; "
            "say what one row means, as `-- One row per ...`."
        )


def _check_name(file: SqlFile) -> None:
    statement, verb = _STATEMENTS.get(file.kind, _MAKES)
    match = statement.match(without_comments(file.text).strip())
    if not match:
        raise SqlFileError(
            f"{file.place}: no {verb} statement, which {file.kind} in its name stands for; "
            "change the statement or the name."
        )
    names = {_last_part(match["name"])}
    if file.kind == "insert":
        filled = (re.match(rf"\s*({_NAME})", target) for target, _ in file.targets)
        names |= {_last_part(match[1]) for match in filled if match}
    if file.name not in map(_as_file, names):
        raise SqlFileError(
            f"{file.place}: makes, alters or fills {' and '.join(sorted(names))}, "
            f"but is called {file.name}; let file and name agree."
        )


def _as_file(name: str) -> str:
    """A name as part of a file name: in lower case, with _ for what is no letter and no digit."""
    return re.sub(r"\W+", "_", name).lower()


def _last_part(name: str) -> str:
    parts: list[str] = re.findall(_PART, name)
    return parts[-1].strip('`"')
