"""The calls of clickhouse_insert in a job's files, and whether each is where Flink runs it once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from jobs.targets import target
from jobs.targets.target import FUNCTION, Target
from lib.errors import JobError
from lib.sqlfiles import SqlFile, condensed, without_comments

# In a condensed statement. The planner makes sure that a call in this place runs once a row.
_CALLED = re.compile(rf"\b{FUNCTION}\b", re.IGNORECASE)
_CALLED_FIRST = re.compile(
    rf"INSERT INTO \S+?(?: ?\([^)]*\))? SELECT {FUNCTION} ?\( ?'", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the sink: the text of its target, and path and line of the call."""

    text: str
    place: str
    target: Target
    # The topic of its records, if the target has a table of dead letters.
    topic: str = ""
    # Whether another insert of the job, which has one, accounts for the records that it reads.
    is_beside: bool = False


def read(files: Sequence[SqlFile]) -> tuple[Call, ...]:
    """The calls in a job's files.

    Raise JobError for the first whose target is wrong, and unless each insert calls the sink at
    most once, first in its select list and under a name of its own: a second call runs apart from
    the first, one in a WHERE runs before other conditions, one in a subquery may be left out, and
    two writers of one name lose rows."""
    if not any(file.kind == "insert" for file in files):
        raise JobError(
            f"{files[0].place}: the job has no insert; add 900_insert_<name>.sql beside it."
        )
    for file in files:
        _check_position(file)
    calls = tuple(
        _parse(text, place, file, files) for file in files for text, place in file.targets
    )
    _check_names(calls)
    _check_accounted_once(calls)
    return tuple(replace(call, is_beside=_is_beside(call, calls, files)) for call in calls)


def _check_position(file: SqlFile) -> None:
    """Raise JobError for a file that names the sink where it cannot be called."""
    text = condensed(file.text)
    if not _CALLED.search(text):
        return
    if file.kind == "function" or file.name == FUNCTION:
        raise JobError(f"{file.place}: {FUNCTION} is defined in every job; delete the file.")
    if file.kind != "insert":
        raise JobError(
            f"{file.place}: {FUNCTION} is called in a {file.kind}, where Flink may call it often "
            "or never; call it in an insert file, with INSERT INTO ... SELECT."
        )
    if len(_CALLED.findall(text)) > 1:
        raise JobError(
            f"{file.place}: {FUNCTION} is called more than once; "
            "give each target an insert file of its own, with INSERT INTO ... SELECT."
        )
    if not _CALLED_FIRST.match(text):
        raise JobError(
            f"{file.place}: {FUNCTION} with its target as a text does not come first "
            "after SELECT; write INSERT INTO <sink> SELECT clickhouse_insert('table "
            "(columns)', ...) FROM <view>, and filter and join in the view."
        )


def _parse(text: str, place: str, file: SqlFile, files: Sequence[SqlFile]) -> Call:
    try:
        parsed = target.parse(text)
        return Call(text, place, parsed, _topic(file, files) if parsed.dead_letters else "")
    except JobError as error:
        raise JobError(f"{place}: {error}") from error


def read_by(file: SqlFile, files: Sequence[SqlFile]) -> list[SqlFile]:
    """The sources, tables and views that an insert or a view reads, through any views."""
    # By their places: an insert may have the name of the view that it reads.
    todo, found, seen = [file], list[SqlFile](), {file.place}
    while todo:
        text = without_comments(todo.pop().text)
        for other in files:
            is_read = other.kind in ("source", "table", "view") and other.place not in seen
            if is_read and re.search(rf"\b{re.escape(other.name)}\b", text):
                seen.add(other.place)
                todo.append(other)
                found.append(other)
    return found


def topics(file: SqlFile, files: Sequence[SqlFile]) -> set[str]:
    """The topics that an insert reads, through any views."""
    return {topic for read in read_by(file, files) for topic in read.topics}


def _topic(file: SqlFile, files: Sequence[SqlFile]) -> str:
    """The topic of an insert with dead letters; raise JobError unless it is one."""
    named = topics(file, files)
    if len(named) != 1:
        raise JobError(
            "ELSE is for the records of one topic, and these are of "
            f"{' and '.join(sorted(named)) or 'none'}; give each topic an insert of its own, or "
            "leave ELSE out."
        )
    return named.pop()


def _is_beside(call: Call, calls: Sequence[Call], files: Sequence[SqlFile]) -> bool:
    if not call.target.is_tracked or call.target.dead_letters:
        return False
    (file,) = (file for file in files if (call.text, call.place) in file.targets)
    read = topics(file, files)
    return bool(read) and read <= {other.topic for other in calls}


def _check_accounted_once(calls: Sequence[Call]) -> None:
    places: dict[str, str] = {}
    for call in calls:
        other = places.setdefault(call.topic, call.place)
        if call.topic and other != call.place:
            raise JobError(
                f"{call.place}: has ELSE for the topic {call.topic}, as {other} has; let one of "
                "them account for its records, and read the valid ones in the other."
            )


def _check_names(calls: Sequence[Call]) -> None:
    places: dict[str, str] = {}
    for call in calls:
        other = places.setdefault(call.target.name, call.place)
        if other != call.place:
            raise JobError(
                f"{call.place}: writes as {call.target.name}, as {other} does; "
                "write 'table (columns) AS another_name'."
            )
