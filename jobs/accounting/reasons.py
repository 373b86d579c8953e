"""The reason of a dead letter of the stage parse: how its value is not a JSON object."""

import json
from typing import Any

# The most characters of a value in a reason.
SHOWN = 50

OTHERWISE = (
    "a JSON object, of which the source made no row: its format does not read it, or the SQL of "
    "the job leaves it out"
)


def reason(value: bytes | None) -> str:
    """The reason for a record of which the source made no row."""
    if value is None:
        return "no value (a tombstone)"
    if not value:
        return "an empty value"
    try:
        text = value.decode()
        return _of_content(text.strip(), _parsed(text))
    except UnicodeDecodeError as error:
        return f"not UTF-8: byte {error.start} is 0x{value[error.start]:02x}"
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg}: character {error.pos}"
    except RecursionError:
        return "JSON that is nested too deeply to be read"
    except ValueError as error:
        return f"not JSON: {error}"


def _parsed(text: str) -> Any:
    # Numbers stay text: Python refuses one of more than 4300 digits.
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number in JSON")


def _of_content(text: str, content: Any) -> str:
    if isinstance(content, dict):
        return OTHERWISE
    if not isinstance(content, list):
        return f"not an object: {text if len(text) <= SHOWN else text[:SHOWN] + '...'}"
    others = [at for at, part in enumerate(content, 1) if not isinstance(part, dict)]
    if len(others) == len(content):
        return "an array without an object"
    if others:
        return f"an array whose element {others[0]} is not an object"
    if len(content) > 1:
        return f"an array of {len(content):,} objects: one record is one row"
    return f"an array with {OTHERWISE}"
