"""The header comment of a file in sql/api: the meaning of a row, and tags."""

import difflib
import re
from dataclasses import dataclass, field

from api.contract import stream_offsets
from api.contract.parameter_declarations import Declaration, declaration
from api.contract.stream_offsets import Event, Stream
from lib.errors import SqlFileError

_HEADER = re.compile(r"(?:--[^\n]*(?:\n|\Z))+")
_TAG = re.compile(r"@(?P<tag>\w+)(?:\s+(?P<rest>.*))?")
_TAGS = ("param", "cache", "page", "stream", "event")


@dataclass(slots=True)
class Header:
    """The text and the tags of the comment, each tag with its line."""

    text: list[str] = field(default_factory=list)
    parameters: dict[str, tuple[int, Declaration]] = field(default_factory=dict)
    cache: int = 0
    page: tuple[int, str] | None = None
    stream: Stream | None = None
    event: Event | None = None


def read(place: str, text: str) -> Header:
    """Read the comment; raise SqlFileError for the first line that is wrong."""
    match = _HEADER.match(text)
    header, last = Header(), ""
    declared: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(match[0].splitlines() if match else [], start=1):
        content = line.removeprefix("--").strip()
        tag = _TAG.fullmatch(content)
        if tag:
            last = _read_tag(f"{place}:{number}", number, tag, header, declared)
        elif last in declared:
            # A description may continue on the next lines.
            declared[last] = (declared[last][0], f"{declared[last][1]} {content}")
        elif content and not last:
            header.text.append(content)
    if not header.text:
        raise SqlFileError(
            f"{place}:1: does not begin with a comment; "
            "say what one row means, as `-- One row per ...`."
        )
    if header.event and not header.stream:
        raise SqlFileError(f"{place}: @event without @stream; add `-- @stream ...`, or delete it.")
    for number, rest in declared.values():
        parameter = declaration(f"{place}:{number}", rest)
        header.parameters[parameter.name] = (number, parameter)
    return header


def _read_tag(
    place: str,
    number: int,
    tag: re.Match[str],
    header: Header,
    declared: dict[str, tuple[int, str]],
) -> str:
    """Add one tag to the header; return the name of the parameter that the next lines may
    continue."""
    kind, rest = tag["tag"], (tag["rest"] or "").strip()
    if kind == "param":
        name = rest.split(" ")[0].rstrip(":")
        if name in declared:
            raise SqlFileError(f"{place}: {name} is documented twice; delete one @param.")
        declared[name] = (number, rest)
        return name
    if kind == "cache":
        if not re.fullmatch(r"\d{1,5}", rest, re.ASCII):
            raise SqlFileError(
                f"{place}: @cache {rest}: not a number of seconds; write it as `@cache 5`."
            )
        header.cache = int(rest)
    elif kind == "page":
        header.page = (number, rest)
    elif kind == "stream":
        header.stream = stream_offsets.read(place, rest)
    elif kind == "event":
        header.event = stream_offsets.read_event(place, rest)
    else:
        near = difflib.get_close_matches(kind, _TAGS, n=1) or _TAGS
        raise SqlFileError(f"{place}: @{kind} is unknown; did you mean @{' or @'.join(near)}?")
    return f"@{kind}"
