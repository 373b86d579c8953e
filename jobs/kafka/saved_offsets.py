"""Which offsets a job has read, in any version of its SQL: the records between those and where it
begins the next time are lost."""

import gc
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

# Beside the saved state of all versions. The state has no partition that was empty so far, so where
# the job began to read it is written here.
_FILE = "offsets.json"

# The id of each topic, by its name.
Topics = Mapping[str, str]

# Flink's name for what the readers of a source save.
_STATE = "SourceReaderState"


def unread(folder: Path, topics: Topics, states: Iterable[Path]) -> dict[Partition, int]:
    """The first offset of each partition that is not read yet, if it is known: from the folder of
    the job, and the saved states."""
    offsets: dict[Partition, int] = _read(folder, topics, "unread")
    for path in states:
        for partition, offset in _saved(path, topics):
            offsets[partition] = max(offset, offsets.get(partition, 0))
    return offsets


def of_state(path: Path, topics: Collection[str]) -> dict[Partition, int]:
    """The next offset of each partition in a savepoint or checkpoint; none if they are unknown.

    In a thread of its own: nothing else waits for a Java that does not answer. What Java passed is
    released here, for Python would release it later in any thread."""
    offsets = dict(_saved(path, topics))
    gc.collect()
    return offsets


def gaps(folder: Path, topics: Topics) -> dict[Partition, Span]:
    """The offsets of each partition that hold no record, as far as they were read."""
    return {partition: Span(*gap) for partition, gap in _read(folder, topics, "gaps").items()}


def save(
    folder: Path,
    topics: Topics,
    unread: Mapping[Partition, int],
    gaps: Mapping[Partition, Span],
) -> None:
    """Save both for the next run, under the ids of the topics: a topic that is recreated has
    another id, and none of this holds for it."""
    saved = {"unread": _by_id(topics, unread), "gaps": _by_id(topics, gaps)}
    try:
        files.replace(folder / _FILE, json.dumps(saved))
    except OSError as error:
        # A full disk must not end the job; the next change is written with all before it.
        log.warning("%s: not written: %s", folder / _FILE, error)


def _by_id(topics: Topics, values: Mapping[Partition, Any]) -> dict[str, dict[int, Any]]:
    by_id: dict[str, dict[int, Any]] = {}
    for (topic, partition), value in values.items():
        if topic in topics:
            by_id.setdefault(topics[topic], {})[partition] = value
    return by_id


def _read(folder: Path, topics: Topics, name: str) -> dict[Partition, Any]:
    file = folder / _FILE
    saved = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    by_id = saved.get(name, {})
    return {
        (topic, int(partition)): value
        for topic, topic_id in topics.items()
        for partition, value in by_id.get(topic_id, {}).items()
    }


def _saved(path: Path, topics: Collection[str]) -> Iterator[tuple[Partition, int]]:
    """The next offset of each partition in a savepoint or checkpoint; none if Flink cannot read it,
    and will refuse to resume from it."""
    try:
        for element in [*_elements(path)]:
            saved = split(element)
            if saved and saved[0][0] in topics and saved[1] >= 0:
                yield saved
    except JAVA_ERRORS as error:
        log.warning("%s: its offsets are unknown: %s", path, cause(error))


def _elements(path: Path) -> Iterator[bytes]:
    """The bytes from each element on that a source's reader has saved."""
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
