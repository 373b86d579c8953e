"""Options of Kafka sources: their isolation level, read_committed by default, and startup mode."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from lib.sqlfiles import SqlFile, without_comments

_KAFKA = re.compile(r"'connector'\s*=\s*'(?:upsert-)?kafka'")
_OPTION = "properties.isolation.level"
_STARTUP = re.compile(r"'scan\.startup\.mode'\s*=\s*'(?P<mode>[\w-]+)'")
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


def begin_first(files: Iterable[SqlFile]) -> bool:
    """Whether each source begins at the first record that Kafka has."""
    modes = [
        [match["mode"] for match in _STARTUP.finditer(without_comments(file.text))]
        for file in files
        if file.kind in ("source", "table") and _KAFKA.search(without_comments(file.text))
    ]
    return all(mode == ["earliest-offset"] for mode in modes)


def is_source(file: SqlFile) -> bool:
    """Whether a file is a table of a Kafka topic, from which a job may read."""
    return file.kind in ("source", "table") and bool(file.topics)


def bounded(
    file: SqlFile, topic: str, other: str, more: Mapping[str, str] = MappingProxyType({})
) -> SqlFile:
    """A source of `topic`, changed to read all of the other topic and then end, with more options;
    any other file unchanged."""
    if not is_source(file) or file.topics != [topic]:
        return file
    options = {
        "topic": other,
        "properties.group.id": other,
        "scan.startup.mode": "earliest-offset",
        "scan.bounded.mode": "latest-offset",
        **more,
    }
    text = without_comments(file.text)
    for name, value in options.items():
        option = f"'{name}' = '{value}'"
        text, times = re.subn(rf"'{re.escape(name)}'\s*=\s*'(?:[^']|'')*'", option, text)
        text = text if times else _KAFKA.sub(rf"\g<0>, {option}", text)
    return replace(file, text=text)
