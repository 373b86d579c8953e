"""Pieces of SQL that are put together from names, types and expressions."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sent:
    """An expression and its type."""

    sql: str
    type: str


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def cast(sql: str, kind: str) -> str:
    """An expression as another type."""
    return f"CAST({sql}, {literal(kind)})"


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
