"""Topics that exist only while a run reads them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lib import kafka

# The largest record, in bytes: Kafka takes no larger request.
LARGEST = 100_000_000

_CONFIGS = {
    # A record of any age is kept until it is read, with its timestamp.
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
    "message.timestamp.type": "CreateTime",
    "message.timestamp.before.max.ms": str(2**63 - 1),
    "message.timestamp.after.max.ms": str(2**63 - 1),
    "max.message.bytes": str(LARGEST),
}


@contextmanager
def made(servers: str, names: Sequence[str], partitions: int = 1) -> Iterator[None]:
    """Make the topics, and delete them after the block; raise ServiceError if Kafka refuses."""
    topic = {"num_partitions": partitions, "configs": _CONFIGS}
    with kafka.admin(servers) as admin:
        admin.create_topics(dict.fromkeys(names, topic), wait_for_metadata=True)
    try:
        yield
    finally:
        with kafka.admin(servers) as admin:
            admin.delete_topics([*names])
