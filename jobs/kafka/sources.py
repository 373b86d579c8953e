"""The isolation level of Kafka sources: read_committed unless a file sets another."""

import re
from collections.abc import Iterable

from lib.sqlfiles import SqlFile, without_comments

_KAFKA = re.compile(r"'connector'\s*=\s*'(?:upsert-)?kafka'")
_OPTION = "properties.isolation.level"
_LEVEL = re.compile(rf"'{re.escape(_OPTION)}'\s*=\s*'(?P<level>\w+)'")


def statement(file: SqlFile) -> str:
    """The statement that Flink gets: a Kafka source without an isolation level reads committed
    records only. Kafka's own default is to read all."""
    # A comment may have either.
    text = without_comments(file.text)
    if file.kind not in ("source", "table") or _LEVEL.search(text):
        return file.text
    text, times = _KAFKA.subn(rf"\g<0>, '{_OPTION}' = 'read_committed'", text)
    return text if times else file.text


def reads_uncommitted(files: Iterable[SqlFile]) -> bool:
    """Whether a source reads uncommitted records, too."""
    return any(
        match["level"] == "read_uncommitted"
        for file in files
        for match in _LEVEL.finditer(without_comments(file.text))
    )
