"""The engine of a ClickHouse table, if it replaces rows: by which columns, and which row stays."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client

# https://clickhouse.com/docs/engines/table-engines/mergetree-family/replacingmergetree
_REPLACING = ("ReplacingMergeTree", "AggregatingMergeTree")
_ARGUMENT = re.compile(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|[^,\s()]+")


@dataclass(frozen=True, slots=True)
class Engine:
    """`key` has the columns that are elements of ORDER BY, `key_columns` also those that its
    expressions read. `version` and `is_deleted` are the columns that ReplacingMergeTree names."""

    name: str = ""
    key: Sequence[str] = ()
    key_columns: Sequence[str] = ()
    partition_columns: Sequence[str] = ()
    version: str = ""
    is_deleted: str = ""

    @property
    def replaces(self) -> bool:
        """Whether rows with the same key become one."""
        return self.name.endswith(_REPLACING)

    @property
    def aggregates(self) -> bool:
        """Whether a merge computes columns of several rows."""
        return self.name.endswith("AggregatingMergeTree")


def read(client: Client, where: dict[str, Any]) -> Engine:
    """The engine of the table {t} in the database {d}; without a name if it does not exist."""
    tables = client.query(
        "SELECT engine, engine_full, sorting_key FROM system.tables"
        " WHERE database = {d:String} AND name = {t:String}",
        parameters=where,
    ).result_rows
    if not tables:
        return Engine()
    ((name, full, key),) = tables
    rows = client.query(
        "SELECT name, is_in_sorting_key, is_in_partition_key FROM system.columns"
        " WHERE database = {d:String} AND table = {t:String}",
        parameters=where,
    ).result_rows
    sorting = [column for column, is_sorting, _ in rows if is_sorting]
    arguments = _arguments(full) if name.endswith("ReplacingMergeTree") else []
    return Engine(
        name,
        [element for element in _elements(key) if element in sorting],
        sorting,
        [column for column, _, is_partition in rows if is_partition],
        *arguments[:2],
    )


def _arguments(full: str) -> list[str]:
    """The names of columns in ReplicatedReplacingMergeTree('path', 'replica', version, deleted)."""
    inside = re.match(r"\w+\(((?:'(?:[^'\\]|\\.)*'|[^')])*)\)", full)
    found = _ARGUMENT.findall(inside[1]) if inside else []
    return [_plain(one) for one in found if one[0] != "'"]


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
    return [_plain(part.strip()) for part in parts]


def _plain(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name[1:-1]) if name[:1] == "`" else name
