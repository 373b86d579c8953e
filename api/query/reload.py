"""Reloads edited endpoint files while the API runs; a broken one keeps its old version."""

import asyncio
import logging
from pathlib import Path

from api.contract import endpoints
from api.problems import ProblemError
from api.query import registry
from api.query.clickhouse import ClickHouseClient
from lib.errors import SqlFileError

log = logging.getLogger("millrace.api")
INTERVAL = 0.3

# The modification time and the size of each file.
FileStamps = dict[Path, tuple[int, int]]


async def watch(
    folder: Path,
    variables: dict[str, str],
    client: ClickHouseClient,
    served: dict[str, registry.Query],
    stamps: FileStamps,
) -> None:
    """Keep `served` up to date with the folder until cancelled; `stamps` are from before the first
    load."""
    while True:
        await asyncio.sleep(INTERVAL)
        now = file_stamps(folder)
        for path in {*stamps} - {*now}:
            served.pop(path.stem, None)
            log.warning("%s: removed", path.name)
        for path in sorted(path for path in now if now[path] != stamps.get(path)):
            try:
                query = await registry.check(endpoints.read(path, variables), client)
            except SqlFileError as error:
                kept = " (the old version is still served)" if path.stem in served else ""
                log.error("%s%s", error, kept)
            except ProblemError as error:
                log.error("%s: not checked: %s", path.name, error.detail)
                now.pop(path)
            else:
                served[path.stem] = query
                log.warning("%s: reloaded", path.name)
        stamps = now


def file_stamps(folder: Path) -> FileStamps:
    """The present stamps of a folder's files."""
    stamps = {}
    for path in folder.glob("*.sql"):
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue
        stamps[path] = (stat.st_mtime_ns, stat.st_size)
    return stamps
