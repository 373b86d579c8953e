"""Just enough of ClickHouse's lexer to find where an INSERT's data begins and what FORMAT is asked.

What a statement may do is never judged here: the engine's own parser does that
(access/guard.py).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    rb"""
      (?P<space> \s+ | --[^\n]* | \#[\ !][^\n]* | /\*.*?\*/ )
    | (?P<text>  '(?:[^'\\]|\\.|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
    | (?P<name>  `(?:[^`\\]|\\.|``)*` | "(?:[^"\\]|\\.|"")*" )
    | (?P<word>  [A-Za-z_][\w$]* )
    | (?P<other> \d\w* | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_OPEN, _CLOSE = (b"(", b"[", b"{"), (b")", b"]", b"}")


@dataclass(frozen=True, slots=True)
class Token:
    """One lexeme outside comments; depth counts the brackets around it."""

    kind: str
    text: bytes
    start: int
    end: int
    depth: int

    def is_word(self, *words: bytes) -> bool:
        """Whether this is one of the given keywords outside any bracket."""
        return self.kind == "word" and self.depth == 0 and self.text.upper() in words


@dataclass(frozen=True, slots=True)
class Insert:
    """An INSERT that takes data: its target, its SETTINGS clause, its format, where data begins."""

    head: bytes
    fmt: str | None
    data_start: int
    settings: bytes = b""

    def from_infile(self, path: str, fmt: str) -> bytes:
        """The statement that reads the data from a file; the grammar has SETTINGS after INFILE."""
        # A comment may end the head or the settings.
        return b"%s\nFROM INFILE '%s' COMPRESSION 'none'\n%s\nFORMAT `%s`" % (
            self.head,
            path.encode(),
            self.settings,
            fmt.encode(),
        )


def tokens(sql: bytes) -> Iterator[Token]:
    """Yield the lexemes of a statement, without spaces and comments."""
    depth = 0
    for found in _TOKEN.finditer(sql):
        kind = found.lastgroup or "other"
        kind = "text" if kind == "tag" else kind
        if kind == "space":
            continue
        if found[0] in _CLOSE:
            depth -= 1
        yield Token(kind, found[0], found.start(), found.end(), depth)
        if found[0] in _OPEN:
            depth += 1


def split_insert(sql: bytes) -> Insert | None:
    """Where the data of an INSERT begins; None if the statement takes no data from outside."""
    stream = tokens(sql)
    first = next(stream, None)
    if first is None or not first.is_word(b"INSERT"):
        return None
    previous = _skip_target(stream)
    settings = len(sql)
    for token in stream:
        after_dot, previous = previous == b".", token.text
        if after_dot:
            continue
        if token.is_word(b"SELECT", b"WITH", b"FROM", b"WATCH"):
            return None
        if token.is_word(b"SETTINGS"):
            settings = token.start
        if token.is_word(b"VALUES"):
            return _insert(sql, settings, token.start, "Values", token.end)
        if token.is_word(b"FORMAT"):
            name = next(stream, None)
            if name is None:
                return None
            fmt = _format_name(name)
            return _insert(sql, settings, token.start, fmt, _after_format(sql, name.end))
    return _insert(sql, settings, len(sql), None, len(sql))


def _insert(sql: bytes, settings: int, end: int, fmt: str | None, data_start: int) -> Insert:
    """Both are places in the statement: where SETTINGS begin, if before the end, and its end."""
    settings = min(settings, end)
    return Insert(sql[:settings], fmt, data_start, sql[settings:end].rstrip().rstrip(b";"))


def takes_input(sql: bytes) -> bool:
    """Whether an INSERT ... SELECT reads its rows from input(), which is to say from the body.

    A WITH before the INSERT may hold the call.
    """
    if b"INPUT" not in sql.upper():
        return False
    inserts = calls = named = False
    for token in tokens(sql):
        inserts |= token.is_word(b"INSERT")
        calls |= named and token.text == b"("
        named = token.kind in ("word", "name") and token.text.strip(b'`"').upper() == b"INPUT"
    return inserts and calls


def goes_on(values: bytes) -> bool:
    """Whether anything but blanks and comments follows a semicolon behind rows of VALUES."""
    # Texts may be large, and most have none but at the end.
    if b";" not in values.rstrip().removesuffix(b";"):
        return False
    lexemes = tokens(values)
    return any(token.text == b";" for token in lexemes) and next(lexemes, None) is not None


def _skip_target(stream: Iterator[Token]) -> bytes:
    """Step over INTO, TABLE, FUNCTION and the name, which may itself read like a keyword."""
    for token in stream:
        if not token.is_word(b"INTO", b"TABLE", b"FUNCTION"):
            return token.text
    return b""


def _after_format(sql: bytes, position: int) -> int:
    """Data begins after the blanks and one line end behind the format's name, as on a server."""
    while sql[position : position + 1] in (b" ", b"\t", b"\f"):
        position += 1
    if sql[position : position + 1] == b"\r":
        position += 1
    return position + 1 if sql[position : position + 1] == b"\n" else position


def output_format(sql: bytes) -> str | None:
    """The format that the statement's own FORMAT clause asks for."""
    clause = _format_clause(sql)
    return _format_name(clause[1]) if clause else None


def _format_name(token: Token) -> str:
    """The name of a format; none that is known has a byte which is no text."""
    return token.text.strip(b'`"').decode(errors="replace")


def as_subquery(sql: bytes) -> bytes | None:
    """A SELECT in brackets, without its FORMAT and its semicolon; None for another statement."""
    first = next(tokens(sql), None)
    if first is None or not (first.is_word(b"SELECT", b"WITH", b"FROM") or first.text == b"("):
        return None
    clause = _format_clause(sql)
    if clause:
        sql = sql[: clause[0].start] + sql[clause[1].end :]
    ends = [token.start for token in tokens(sql) if token.text == b";"]
    return b"(" + (sql[: ends[-1]] if ends else sql) + b"\n)"


def _format_clause(sql: bytes) -> tuple[Token, Token] | None:
    """The word FORMAT and the format's name."""
    found, previous = None, None
    for token in tokens(sql):
        if previous is not None and previous.is_word(b"FORMAT") and token.kind in ("word", "name"):
            found = previous, token
        elif found is not None and previous is found[1] and not _ends_query(token):
            found = None
        previous = token
    return found


def _ends_query(token: Token) -> bool:
    return token.text == b";" or token.is_word(b"SETTINGS", b"INTO")
