"""Which offsets a job has read, in any version of its SQL: what is between them and where it begins
the next time is lost."""

import json
import logging
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pyflink.java_gateway import get_gateway

from jobs.flink.java_errors import JAVA_ERRORS, cause
from lib import files
from lib.kafka import Partition, Span

log = logging.getLogger("millrace.offsets")

# Beside the saved state of all versions. Of a partition that was empty so far the state says
# nothing, so where the job began to read it is written here.
_FILE = "offsets.json"

# The id of each topic, by its name.
Topics = Mapping[str, str]

# Of Flink, for what the readers of a source save.
_STATE = "SourceReaderState"


def owed(folder: Path, topics: Topics, states: Iterable[Path]) -> dict[Partition, int]:
    """The offset from which on each partition is still to be read, as far as that is known: from
    the folder of the job, and the saved states."""
    found: dict[Partition, int] = _read(folder, topics, "owed")
    for path in states:
        for partition, offset in _saved(path, topics):
            found[partition] = max(offset, found.get(partition, 0))
    return found


def gaps(folder: Path, topics: Topics) -> dict[Partition, Span]:
    """The offsets of each partition that hold no record, as far as they were looked into."""
    return {place: Span(*gap) for place, gap in _read(folder, topics, "gaps").items()}


def note(
    folder: Path,
    topics: Topics,
    owed: Mapping[Partition, int],
    gaps: Mapping[Partition, Span],
) -> None:
    """Remember both for the next start, under the ids of the topics: one that is made again has
    another id, and none of this holds for it."""
    kept = {"owed": _by_id(topics, owed), "gaps": _by_id(topics, gaps)}
    try:
        files.replace(folder / _FILE, json.dumps(kept))
    except OSError as error:
        # A full disk must not end the job; the next change is written with all before it.
        log.warning("%s: not written: %s", folder / _FILE, error)


def _by_id(topics: Topics, found: Mapping[Partition, Any]) -> dict[str, dict[int, Any]]:
    kept: dict[str, dict[int, Any]] = {}
    for (topic, partition), value in found.items():
        if topic in topics:
            kept.setdefault(topics[topic], {})[partition] = value
    return kept


def _read(folder: Path, topics: Topics, what: str) -> dict[Partition, Any]:
    file = folder / _FILE
    kept = json.loads(file.read_text(encoding="utf-8"))[what] if file.exists() else {}
    return {
        (topic, int(partition)): value
        for topic, number in topics.items()
        for partition, value in kept.get(number, {}).items()
    }


def _saved(path: Path, topics: Collection[str]) -> Iterator[tuple[Partition, int]]:
    """The next offset of each partition, as a savepoint or checkpoint has it; what Flink cannot
    read, and will refuse to resume from, says nothing."""
    try:
        for element in [*_elements(path)]:
            found = split(element)
            if found and found[0][0] in topics and found[1] >= 0:
                yield found
    except JAVA_ERRORS as error:
        log.warning("%s: its offsets are not known: %s", path, cause(error))


def _elements(path: Path) -> Iterator[bytes]:
    """Each thing that a source's reader has saved, as its bytes with those that lead it."""
    jvm = get_gateway().jvm
    stream = jvm.java.io.DataInputStream(jvm.java.io.FileInputStream(str(path / "_metadata")))
    try:
        loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
        checkpoints = jvm.org.apache.flink.runtime.checkpoint.Checkpoints
        metadata = checkpoints.loadCheckpointMetadata(stream, loader, str(path))
    finally:
        stream.close()
    for operator in metadata.getOperatorStates():
        for subtask in operator.getStates().toArray():
            for handle in subtask.getManagedOperatorState().toArray():
                if info := handle.getStateNameToPartitionOffsets().get(_STATE):
                    saved = handle.openInputStream()
                    data = bytes(saved.readAllBytes())
                    saved.close()
                    yield from (data[at:] for at in info.getOffsets())


def split(element: bytes) -> tuple[Partition, int] | None:
    """A Kafka source's partition and the next offset to read of it, from what Flink saved; None if
    this is something else. A negative offset stands for one that was not looked up yet."""
    try:
        # The length of what follows, the version of its serializer, the length of the split.
        whole, _, length = struct.unpack_from(">iii", element)
        (name,) = struct.unpack_from(">H", element, 12)
        partition, offset, _ = struct.unpack_from(">iqq", element, 14 + name)
        if whole != length + 8 or length != 2 + name + 20:
            return None
        return (element[14 : 14 + name].decode(), partition), offset
    except (struct.error, UnicodeDecodeError):
        return None
