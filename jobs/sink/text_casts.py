"""Values that Arrow has no type for: text, bytes or numbers, converted one by one by Python's own
types, because ClickHouse's parser of text wraps a number and takes 1 for an Enum."""

import ipaddress
import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.targets.types import Column

_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)


def cast(column: Column, array: pa.Array) -> pa.Array:
    """The array as a column of one of BASES; raise ArrowInvalid for a value that does not fit."""
    if column.base in ("Enum8", "Enum16"):
        return _cast_enum(column, array.cast(pa.string()))
    read = _READ[column.base]
    try:
        values = [None if value is None else read(value, column) for value in array.to_pylist()]
    except (ValueError, ArithmeticError) as error:
        raise pa.ArrowInvalid(str(error)) from error
    return pa.array(values, column.arrow)


def times_of_day(array: pa.Array) -> pa.Array:
    """Texts such as 10:00:01.123456789, which Arrow reads only after a date."""
    stamps = pc.binary_join_element_wise("1970-01-01", array.cast(pa.string()), "T")
    return stamps.cast(pa.timestamp("ns")).cast(pa.time64("ns"))


def _cast_enum(column: Column, array: pa.Array) -> pa.Array:
    names = pa.array(column.type.type_def.keys, pa.string())
    if not pc.all(pc.is_in(array.drop_null(), names)).as_py():
        raise pa.ArrowInvalid("the column has no such element")
    return array


def _uuid(value: str | bytes, column: Column) -> str:
    if isinstance(value, bytes):
        return str(uuid.UUID(bytes=value))
    text = str(uuid.UUID(value))
    # Python also takes braces, urn: and hyphens anywhere.
    if text != value.lower():
        raise ValueError("badly formed UUID")
    return text


def _ipv4(value: str, column: Column) -> int:
    return int(ipaddress.IPv4Address(value))


def _ipv6(value: str | bytes, column: Column) -> bytes:
    """An IPv4 address becomes the IPv6 address that it is mapped to, as in ClickHouse."""
    address = ipaddress.ip_address(value)
    if isinstance(address, ipaddress.IPv4Address):
        address = ipaddress.IPv6Address(f"::ffff:{address}")
    if address.scope_id:
        raise ValueError("its zone would be cut")
    return address.packed


def _wide(value: str | int | float | Decimal, column: Column) -> bytes:
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError("it is not a whole number")
    number = int(value)
    if not isinstance(value, str) and number != value:
        raise ValueError("it is not a whole number")
    is_signed = column.base.startswith("Int")
    return number.to_bytes(column.arrow.byte_width, "little", signed=is_signed)


_READ: dict[str, Callable[[Any, Column], Any]] = {
    "UUID": _uuid,
    "IPv4": _ipv4,
    "IPv6": _ipv6,
    **dict.fromkeys(("Int128", "UInt128", "Int256", "UInt256"), _wide),
}

BASES = frozenset({"Enum8", "Enum16", *_READ})
