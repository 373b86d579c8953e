"""ClickHouse's column types as clickhouse-connect's registry reads them, with one way to fail."""

import logging
import re

from clickhouse_connect.datatypes import registry
from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.special import SimpleAggregateFunction
from clickhouse_connect.driver.exceptions import ClickHouseError

# The registry logs an unknown type before it raises; the caller reports it.
logging.getLogger(registry.__name__).setLevel(logging.CRITICAL)

_TEXT = r"'(?:[^'\\]|\\.|'')*'"
_ENUM = re.compile(rf"(?P<name>Enum(?:8|16)?)\((?P<members>(?:[^()']|{_TEXT})*)\)")
_MEMBER = re.compile(rf"(?P<name>{_TEXT})\s*(?:=\s*(?P<number>-?\d+))?")


def parse(text: str) -> ClickHouseType:
    """Read a type; SimpleAggregateFunction(f, T) is T. Raise ValueError for one that is unknown."""
    try:
        return plain(registry.get_from_name(_ENUM.sub(_numbered, text.strip())))
    except (ClickHouseError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ValueError(f"{text} is not a known type") from error


def plain(kind: ClickHouseType) -> ClickHouseType:
    """The type of a column's values, for the types inside an Array, Map or Tuple, too."""
    while isinstance(kind, SimpleAggregateFunction):
        kind = kind.element_type
    return kind


def _numbered(enum: re.Match[str]) -> str:
    """Give members without a number the next one, as ClickHouse does; the registry needs them."""
    members, last = [], 0
    for member in _MEMBER.finditer(enum["members"]):
        last = last + 1 if member["number"] is None else int(member["number"])
        members.append(f"{member['name']} = {last}")
    return f"{enum['name']}({', '.join(members)})"
