"""Parse ClickHouse's column types with clickhouse-connect's registry."""

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
    """Parse a type; SimpleAggregateFunction(f, T) is T. Raise ValueError if it is unknown."""
    try:
        return plain(registry.get_from_name(_ENUM.sub(_numbered, text.strip())))
    except (ClickHouseError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise ValueError(f"{text} is not a known type") from error


def plain(kind: ClickHouseType) -> ClickHouseType:
    """The type of the values: T of SimpleAggregateFunction(f, T), inside an Array or Map too."""
    while isinstance(kind, SimpleAggregateFunction):
        kind = kind.element_type
    return kind


def _numbered(enum: re.Match[str]) -> str:
    """Number the members that have no number, as ClickHouse does; the registry needs numbers."""
    members, last = [], 0
    for member in _MEMBER.finditer(enum["members"]):
        last = last + 1 if member["number"] is None else int(member["number"])
        members.append(f"{member['name']} = {last}")
    return f"{enum['name']}({', '.join(members)})"
