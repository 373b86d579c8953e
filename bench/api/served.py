"""The API, with SQL whose answers are not kept."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.stack import remove_cache
from jobs.sql_tests import own_stack
from lib.conf import ROOT
from lib.settings import Settings

VARIABLE = "MILLRACE_SQL_DIR"


@contextmanager
def uncached() -> Iterator[Path]:
    """A copy of the repository's SQL without caches, which the environment names in the block."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(ROOT / "sql", Path(folder) / "sql")
        remove_cache(copy / "api")
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = str(copy)
        try:
            yield copy
        finally:
            del os.environ[VARIABLE]
            if before is not None:
                os.environ[VARIABLE] = before


@contextmanager
def served(config: Settings) -> Iterator[Settings]:
    """Run the API without caches; the settings with its SQL."""
    with uncached() as sql, own_stack.program("api", until="endpoints at"):
        yield msgspec.structs.replace(config, sql_dir=sql)
