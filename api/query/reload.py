"""Puts edited files into service while the API runs; a broken one leaves its old version there."""

import asyncio
import logging
from pathlib import Path

from api.contract import endpoints
from api.problems import ProblemError
from api.query import registry
from api.query.clickhouse import Store
from lib.errors import SqlFileError

log = logging.getLogger("millrace.api")
SECONDS = 0.3


# When each file was changed, and its size.
Stamps = dict[Path, tuple[int, int]]


async def watch(
    folder: Path,
    variables: dict[str, str],
    store: Store,
    served: dict[str, registry.Query],
    seen: Stamps,
) -> None:
    """Keep `served` as the folder is, for ever; `seen` is how it was before they were read."""
    while True:
        await asyncio.sleep(SECONDS)
        now = stamps(folder)
        for path in {*seen} - {*now}:
            served.pop(path.stem, None)
            log.warning("%s: gone", path.name)
        for path in sorted(path for path in now if now[path] != seen.get(path)):
            try:
                found = await registry.checked(endpoints.read(path, variables), store)
            except SqlFileError as error:
                kept = " (the version before stays)" if path.stem in served else ""
                log.error("%s%s", error, kept)
            except ProblemError as error:
                log.error("%s: not checked: %s", path.name, error.detail)
                now.pop(path)
            else:
                served[path.stem] = found
                log.warning("%s: live", path.name)
        seen = now


def stamps(folder: Path) -> Stamps:
    """How the files are now."""
    found = {}
    for path in folder.glob("*.sql"):
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue
        found[path] = (stat.st_mtime_ns, stat.st_size)
    return found
