"""The lexer of SQL text, for ClickHouse and for Flink.

Where the dialects differ, ClickHouse's rules hold: # begins a comment, $tag$ quotes a string, and a
backslash escapes in one. Flink takes neither sign outside a string.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = r"""
      (?P<space>   \s+ )
    | (?P<comment> --[^\n]* | \#[\ !][^\n]* | /\*.*?\*/ )
    | (?P<string>  '(?:[^'\\]|\\.|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
    | (?P<name>    `(?:[^`\\]|\\.|``)*` | "(?:[^"\\]|\\.|"")*" )
    | (?P<word>    [A-Za-z_][\w$]* )
    | (?P<number>  \d\w* )
    | (?P<symbol>  . )
"""
_FLAGS = re.VERBOSE | re.DOTALL
_IN_TEXT = re.compile(_TOKEN, _FLAGS | re.ASCII)
_IN_BYTES = re.compile(_TOKEN.encode(), _FLAGS)
QUOTED = ("string", "name")


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its kind, as the pattern names it, and its place; depth counts the brackets around
    it. A `name` is quoted; a `word` is a keyword or a name without quotes."""

    kind: str
    text: str
    start: int
    end: int
    depth: int

    @property
    def is_blank(self) -> bool:
        """Whether the statement means the same without it."""
        return self.kind in ("space", "comment")

    def is_word(self, *words: str) -> bool:
        """Whether this is one of these keywords, in upper case, outside any bracket."""
        return self.kind == "word" and self.depth == 0 and self.text.upper() in words


def tokens(sql: str | bytes) -> Iterator[Token]:
    """Yield all tokens of a text; places in bytes are those of bytes."""
    depth = 0
    matches = _IN_BYTES.finditer(sql) if isinstance(sql, bytes) else _IN_TEXT.finditer(sql)
    for match in matches:
        text = match[0] if isinstance(match[0], str) else match[0].decode(errors="replace")
        depth -= text in (")", "]", "}")
        yield Token(match.lastgroup or "", text, match.start(), match.end(), depth)
        depth += text in ("(", "[", "{")


def lexemes(sql: str | bytes) -> Iterator[Token]:
    """Yield the tokens that are neither space nor comment."""
    return (token for token in tokens(sql) if not token.is_blank)


def blanked(sql: str, *kinds: str) -> str:
    """The text with a blank for each character in tokens of these kinds; line ends stay."""
    return "".join(
        re.sub(r"[^\n]", " ", token.text) if token.kind in kinds else token.text
        for token in tokens(sql)
    )
