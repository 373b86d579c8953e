"""The rows of a back-test beside those that the table has."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from jobs.targets.target import Target
from lib.quoting import quote_name, quote_string

# A row that both have, one that only the back-test made, and one that only the table has.
_SIGNS = {(True, True): "=", (True, False): "+", (False, True): "-"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row, and whether the back-test made it and the table has it."""

    values: Mapping[str, Any]
    is_raised: bool
    is_stored: bool

    @property
    def sign(self) -> str:
        return _SIGNS[self.is_raised, self.is_stored]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows are compared: of a time, from `start` up to `end`, which is not included; of the
    table those that have these values."""

    time: str
    start: datetime
    end: datetime
    constants: Mapping[str, frozenset[str]]


def rows(client: Client, target: Target, made: Target, selection: Selection) -> list[Row]:
    """The rows of both tables in the order of time."""
    columns = ", ".join(map(quote_name, target.columns))
    time = quote_name(selection.time)
    within = f"{time} >= {_moment(selection.start)} AND {time} < {_moment(selection.end)}"
    own = " AND ".join([within, *(_is_one_of(*each) for each in selection.constants.items())])
    text = client.raw_query(
        f"SELECT {columns}, max(is_raised) AS is_raised, max(is_stored) AS is_stored FROM ("
        f"SELECT {columns}, true AS is_raised, false AS is_stored FROM {made.table} FINAL"
        f" WHERE {within} UNION ALL "
        f"SELECT {columns}, false, true FROM {target.table} FINAL WHERE {own}"
        f") GROUP BY {columns} ORDER BY {time}, {columns}",
        fmt="JSONEachRow",
        settings={"date_time_output_format": "iso", "output_format_json_quote_64bit_integers": 0},
    )
    found = map(json.loads, text.splitlines())
    return [Row(each, each.pop("is_raised"), each.pop("is_stored")) for each in found]


def _moment(time: datetime) -> str:
    return f"fromUnixTimestamp64Micro({int(time.timestamp() * 1_000_000)})"


def _is_one_of(column: str, values: frozenset[str]) -> str:
    listed = ", ".join(map(quote_string, sorted(values)))
    return f"toString({quote_name(column)}) IN ({listed})"
