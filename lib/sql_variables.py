"""Replace ${NAME} in SQL files by the value of a setting."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lib import sqlfiles
from lib.errors import SqlFileError, did_you_mean
from lib.sql_lexer import tokens
from lib.sqlfiles import SqlFile, line_of

# How a string literal escapes the signs that would end it.
FLINK = str.maketrans({"'": "''"})
CLICKHOUSE = str.maketrans({"'": "''", "\\": "\\\\"})

_VARIABLE = re.compile(r"\$\{(?P<name>[^}\n]*)(?P<end>\}?)")


def load(folder: Path, variables: Mapping[str, str]) -> list[SqlFile]:
    """All files of a folder, settings filled in; raise SqlFileError for the first that is wrong."""
    return [substitute(file, variables) for file in sqlfiles.load(folder)]


def substitute(
    file: SqlFile, variables: Mapping[str, str], escapes: Mapping[int, str] = FLINK
) -> SqlFile:
    """Replace each ${NAME} by its setting, escaped for a string literal unless it is in a comment;
    raise SqlFileError with file and line."""
    comments = [token for token in tokens(file.text) if token.kind == "comment"]

    def value(match: re.Match[str]) -> str:
        name = match["name"]
        line = line_of(file.text, match.start())
        if not match["end"]:
            raise SqlFileError(f"{file.place}:{line}: {match[0].strip()} does not end; add the }}.")
        if name in variables:
            if any(comment.start < match.start() < comment.end for comment in comments):
                return " ".join(variables[name].split())
            return variables[name].translate(escapes)
        remedy = did_you_mean(match[0], [f"${{{known}}}" for known in variables])
        raise SqlFileError(f"{file.place}:{line}: {match[0]} is not a setting; {remedy}")

    text = _VARIABLE.sub(value, file.text)
    return replace(file, text=text)
