"""The API, with SQL whose answers are not kept."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.stack import program, remove_cache
from lib.conf import ROOT
from lib.settings import Settings


def uncached(folder: Path) -> Path:
    """Copy the repository's SQL without caches into a folder."""
    copy = shutil.copytree(ROOT / "sql", folder / "sql")
    remove_cache(copy / "api")
    return copy


@contextmanager
def served(config: Settings) -> Iterator[Settings]:
    """Run the API without caches; the settings with its SQL. The environment is as before after
    the block."""
    with tempfile.TemporaryDirectory() as folder:
        sql = uncached(Path(folder))
        before = os.environ.get("MILLRACE_SQL_DIR")
        os.environ["MILLRACE_SQL_DIR"] = str(sql)
        try:
            with program("api", until="endpoints at"):
                yield msgspec.structs.replace(config, sql_dir=sql)
        finally:
            del os.environ["MILLRACE_SQL_DIR"]
            if before is not None:
                os.environ["MILLRACE_SQL_DIR"] = before
