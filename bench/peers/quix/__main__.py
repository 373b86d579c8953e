"""A Quix Streams application whose sink inserts Arrow batches.

After a kill: at least once. The checkpoint flushes the sink and then commits the offsets, so that
the batch since the last commit is inserted again.
https://quix.io/docs/quix-streams/connectors/sinks/custom-sinks.html
"""

from quixstreams import Application
from quixstreams.models import HeadersTuples
from quixstreams.sinks import BaseSink

from bench.peers import settings
from bench.peers.loop.table import ROWS, SECONDS, Table


class ClickHouseSink(BaseSink):
    """Inserts what was added since the last checkpoint, of all partitions at once: a BatchingSink
    would insert a batch for each."""

    def __init__(self) -> None:
        super().__init__()
        self._records: list[tuple[bytes, int, int, int]] = []

    def setup(self) -> None:
        self._table = Table("quix")

    def add(
        self,
        value: bytes,
        key: object,
        timestamp: int,
        headers: HeadersTuples,
        topic: str,
        partition: int,
        offset: int,
    ) -> None:
        self._records.append((value, partition, offset, timestamp))

    def flush(self) -> None:
        """Insert the batch; if that fails, the checkpoint fails, and no offset is committed."""
        records, self._records = self._records, []
        if records:
            self._table.insert(*zip(*records, strict=True))


def main() -> None:
    """Run until SIGTERM."""
    config = settings.load()
    application = Application(
        broker_address=config.servers,
        consumer_group=config.group,
        auto_offset_reset="earliest",
        # A member that was killed holds its partitions for this time.
        consumer_extra_config={"session.timeout.ms": 6_000, "fetch.wait.max.ms": 10},
        state_dir=config.state / "quix",
        commit_every=ROWS,
        commit_interval=SECONDS,
        # By default a poll, and so the age of a batch, may last a second.
        consumer_poll_timeout=SECONDS,
        loglevel="WARNING",
    )
    # The sink decodes a batch at once, far cheaper than one value at a time.
    topic = application.topic(config.topic, key_deserializer="bytes", value_deserializer="bytes")
    application.dataframe(topic).sink(ClickHouseSink())
    application.run()


if __name__ == "__main__":
    main()
