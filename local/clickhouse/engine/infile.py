"""Rows in memory as a file for the engine to read: FROM INFILE reports every error."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import NamedTemporaryFile
from typing import IO

from lib.clickhouse_errors import Code
from local.clickhouse.errors import refusal


@contextmanager
def as_file(data: bytes) -> Iterator[str]:
    """The path of a file that holds the data until the block ends; raise QueryError if there is
    no room for it."""
    with _file() as (file, path):
        _write(file, data)
        yield path


@contextmanager
def _file() -> Iterator[tuple[IO[bytes], str]]:
    """A file in memory on Linux, elsewhere one in the temporary folder."""
    if sys.platform == "linux":
        with open(os.memfd_create("insert"), "wb", buffering=0) as file:
            yield file, f"/proc/self/fd/{file.fileno()}"
    else:
        with NamedTemporaryFile(buffering=0) as file:
            yield file, file.name


def _write(file: IO[bytes], data: bytes) -> None:
    # One write stores 2 GiB at most.
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise refusal(
            Code.CANNOT_WRITE_TO_FILE_DESCRIPTOR, f"Cannot hold the rows of the INSERT: {error}"
        ) from None
