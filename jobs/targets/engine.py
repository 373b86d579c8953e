"""The engine of a ClickHouse table, if it replaces rows: by which columns, and which row stays."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lib.quoting import unquote_name

# https://clickhouse.com/docs/engines/table-engines/mergetree-family/replacingmergetree
_REPLACING = ("ReplacingMergeTree", "AggregatingMergeTree")
_ARGUMENT = re.compile(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|[^,\s()]+")


@dataclass(frozen=True, slots=True)
class Engine:
    """`key` has the columns that are elements of ORDER BY, `key_columns` also those that its
    expressions read. `version` is the column that ReplacingMergeTree names."""

    name: str = ""
    key: Sequence[str] = ()
    key_columns: Sequence[str] = ()
    partition_columns: Sequence[str] = ()
    version: str = ""

    @property
    def replaces(self) -> bool:
        """Whether rows with the same key become one."""
        return self.name.endswith(_REPLACING)

    @property
    def aggregates(self) -> bool:
        """Whether a merge computes columns of several rows."""
        return self.name.endswith("AggregatingMergeTree")


def of(name: str, full: str, key: str, sorting: Sequence[str], partition: Sequence[str]) -> Engine:
    """The engine of a table as system.tables has it: `engine`, `engine_full` and `sorting_key`, and
    the columns that system.columns has in its sorting and its partition key."""
    arguments = _arguments(full) if name.endswith("ReplacingMergeTree") else []
    return Engine(
        name,
        [element for element in _elements(key) if element in sorting],
        sorting,
        partition,
        *arguments[:1],
    )


def _arguments(full: str) -> list[str]:
    """The names of columns in ReplicatedReplacingMergeTree('path', 'replica', version, deleted)."""
    inside = re.match(r"\w+\(((?:'(?:[^'\\]|\\.)*'|[^')])*)\)", full)
    found = _ARGUMENT.findall(inside[1]) if inside else []
    return [unquote_name(one) for one in found if one[0] != "'"]


def _elements(key: str) -> list[str]:
    """The elements of ORDER BY, as ClickHouse writes them: an expression stays one. A single
    element may be in brackets."""
    if re.fullmatch(r"\((?:[\w.]+|`(?:[^`\\]|\\.)*`)\)", key):
        key = key[1:-1]
    depth, parts = 0, [""]
    for token in re.findall(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|.", key):
        depth += (token in "([") - (token in ")]")
        if token == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += token
    return [unquote_name(part.strip()) for part in parts]
