"""The parts of a statement: where an INSERT's data begins, and which FORMAT it names.

What a statement may do is never judged here: the engine's own parser does that (access/guard.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lib.sql_lexer import Token, lexemes


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


def split_insert(sql: bytes) -> Insert | None:
    """The parts of an INSERT; None if the statement takes no data from outside."""
    stream = lexemes(sql)
    first = next(stream, None)
    if first is None or not first.is_word("INSERT"):
        return None
    previous = _skip_target(stream)
    settings = len(sql)
    for token in stream:
        after_dot, previous = previous == ".", token.text
        if after_dot:
            continue
        if token.is_word("SELECT", "WITH", "FROM", "WATCH"):
            return None
        if token.is_word("SETTINGS"):
            settings = token.start
        if token.is_word("VALUES"):
            return _insert(sql, settings, token.start, "Values", token.end)
        if token.is_word("FORMAT"):
            name = next(stream, None)
            if name is None:
                return None
            fmt = _unquoted(name)
            return _insert(sql, settings, token.start, fmt, _after_format(sql, name.end))
    return _insert(sql, settings, len(sql), None, len(sql))


def _insert(sql: bytes, settings: int, end: int, fmt: str | None, data_start: int) -> Insert:
    """`settings` is where that clause begins, or a place after `end`, where the statement ends."""
    settings = min(settings, end)
    return Insert(sql[:settings], fmt, data_start, sql[settings:end].rstrip().rstrip(b";"))


def takes_input(sql: bytes) -> bool:
    """Whether an INSERT ... SELECT reads its rows from input(), that is, from the body.

    A WITH before the INSERT may hold the call.
    """
    if b"INPUT" not in sql.upper():
        return False
    inserts = calls = named = False
    for token in lexemes(sql):
        inserts |= token.is_word("INSERT")
        calls |= named and token.text == "("
        named = token.kind in ("word", "name") and _unquoted(token).upper() == "INPUT"
    return inserts and calls


def goes_on(values: bytes) -> bool:
    """Whether anything but blanks and comments follows a semicolon behind rows of VALUES."""
    # Texts may be large, and most have none but at the end.
    if b";" not in values.rstrip().removesuffix(b";"):
        return False
    stream = lexemes(values)
    return any(token.text == ";" for token in stream) and next(stream, None) is not None


def _skip_target(stream: Iterator[Token]) -> str:
    """Step over INTO, TABLE, FUNCTION and the name, which may itself read like a keyword."""
    names = (token.text for token in stream if not token.is_word("INTO", "TABLE", "FUNCTION"))
    return next(names, "")


def _after_format(sql: bytes, position: int) -> int:
    """Data begins after the blanks and one line end behind the format's name, as on a server."""
    while sql[position : position + 1] in (b" ", b"\t", b"\f"):
        position += 1
    if sql[position : position + 1] == b"\r":
        position += 1
    return position + 1 if sql[position : position + 1] == b"\n" else position


def output_format(sql: bytes) -> str | None:
    """The format that the statement's own FORMAT clause names."""
    clause = _format_clause(sql)
    return _unquoted(clause[1]) if clause else None


def _unquoted(token: Token) -> str:
    return token.text.strip('`"')


def as_subquery(sql: bytes) -> bytes | None:
    """A SELECT in brackets, without its FORMAT and its semicolon; None for another statement."""
    first = next(lexemes(sql), None)
    if first is None or not (first.is_word("SELECT", "WITH", "FROM") or first.text == "("):
        return None
    clause = _format_clause(sql)
    if clause:
        sql = sql[: clause[0].start] + sql[clause[1].end :]
    ends = [token.start for token in lexemes(sql) if token.text == ";"]
    return b"(" + (sql[: ends[-1]] if ends else sql) + b"\n)"


def _format_clause(sql: bytes) -> tuple[Token, Token] | None:
    """The word FORMAT and the format's name."""
    clause, previous = None, None
    for token in lexemes(sql):
        if previous is not None and previous.is_word("FORMAT") and token.kind in ("word", "name"):
            clause = previous, token
        elif clause is not None and previous is clause[1] and not _ends_query(token):
            clause = None
        previous = token
    return clause


def _ends_query(token: Token) -> bool:
    return token.text == ";" or token.is_word("SETTINGS", "INTO")
