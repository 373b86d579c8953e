"""multipart/form-data bodies: parameters of the query, and its external tables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

from multipart import MultipartError, MultipartParser, parse_options_header

from lib.clickhouse_errors import Code
from local.clickhouse.errors import refusal

# The parser writes larger parts into a temporary file.
MEMORY_LIMIT = 64 * 1024 * 1024
# chDB evaluates a default expression at once, before the user's limits are set. Each of these words
# is refused anywhere, since quotes and comments may surround it.
_EXPRESSION = re.compile("default|materialized|ephemeral|alias", re.IGNORECASE)
PART_LIMIT = 4 * 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class External:
    """A table that is sent with a query: its name, structure, format and rows."""

    name: str
    structure: str
    fmt: str
    data: bytes


def is_form(content_type: str) -> bool:
    """Whether a body is a multipart form; any other body is SQL or data."""
    return content_type.lower().startswith("multipart/form-data")


def read_form(content_type: str, body: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
    """The plain fields and the file parts of a form."""
    _, options = parse_options_header(content_type)
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    try:
        for part in MultipartParser(
            BytesIO(body),
            options.get("boundary", ""),
            content_length=len(body),
            partsize_limit=PART_LIMIT,
            spool_limit=MEMORY_LIMIT,
            memory_limit=PART_LIMIT,
            disk_limit=PART_LIMIT,
        ):
            if part.filename:
                files[part.name] = part.raw
            else:
                fields[part.name] = part.raw.decode(errors="surrogateescape")
    except (MultipartError, ValueError) as error:
        raise refusal(Code.BAD_ARGUMENTS, f"The form in the body is invalid: {error}") from None
    return fields, files


def externals(files: Mapping[str, bytes], params: Mapping[str, str]) -> list[External]:
    """The external tables of a form, each described by `<name>_format`, `_structure`, `_types`."""
    return [_external(name, data, params) for name, data in files.items()]


def _external(name: str, data: bytes, params: Mapping[str, str]) -> External:
    structure = params.get(f"{name}_structure", "")
    types = [kind for kind in params.get(f"{name}_types", "").split(",") if kind.strip()]
    if not structure:
        structure = ", ".join(f"_{number} {kind}" for number, kind in enumerate(types, 1))
    if not structure:
        raise refusal(
            Code.BAD_ARGUMENTS, f"Neither {name}_structure nor {name}_types is given for a table"
        )
    if _EXPRESSION.search(structure):
        raise refusal(Code.BAD_ARGUMENTS, "External tables take no default expressions")
    return External(name, structure, params.get(f"{name}_format", "TabSeparated"), data)


def described(files: Mapping[str, bytes]) -> set[str]:
    """The names of parameters that describe external tables, and so are no settings."""
    return {f"{name}_{part}" for name in files for part in ("format", "structure", "types")}
