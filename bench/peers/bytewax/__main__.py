"""A Bytewax dataflow that collects the messages of some polls and inserts them as Arrow.

After a kill: at least once. Bytewax continues from the last epoch whose state is stored, of about a
second before, and inserts again what came after it.
https://docs.bytewax.io/stable/guide/concepts/recovery.html
"""

from datetime import timedelta

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from bench.peers import settings
from bench.peers.loop.table import ROWS, SECONDS, Table
from bench.peers.settings import Settings

# The most messages that one poll of the source returns, Bytewax' default.
POLL = 1_000
EPOCH = timedelta(seconds=1)
# The value, partition, offset and timestamp of each message.
Poll = list[tuple[bytes, int, int, int]]
Collected = tuple[str, list[Poll]]
Message = KafkaSourceMessage[bytes, bytes]


class Partition(StatelessSinkPartition[Collected]):
    """Inserts all that was collected as one batch."""

    def __init__(self) -> None:
        self._table = Table("bytewax")

    def write_batch(self, items: list[Collected]) -> None:
        messages = [message for _, polls in items for poll in polls for message in poll]
        self._table.insert(*zip(*messages, strict=True))


class ClickHouseSink(DynamicSink[Collected]):
    """One client for each worker."""

    def build(self, step_id: str, worker_index: int, worker_count: int) -> Partition:
        return Partition()


def to_poll(messages: list[Message]) -> list[Poll]:
    """One item of all messages of a poll: to pass an item on costs more than to insert a row."""
    poll = [(one.value, one.partition, one.offset, one.timestamp[1]) for one in messages]
    return [poll] if poll else []


def dataflow(config: Settings) -> Dataflow:
    """From the topic to the table, in batches of so many rows or milliseconds."""
    flow = Dataflow("ticks")
    source = KafkaSource([config.servers], [config.topic], batch_size=POLL)
    polls = op.flat_map_batch("poll", op.input("kafka", flow, source), to_poll)
    batches = op.collect(
        "collect",
        op.key_on("key", polls, lambda _: "all"),
        timeout=timedelta(seconds=SECONDS),
        max_size=max(1, ROWS // POLL),
    )
    op.output("clickhouse", batches, ClickHouseSink())
    return flow


def main() -> None:
    """Run until SIGTERM, from the stored state if there is one."""
    config = settings.load()
    state = config.state / "bytewax"
    if not state.is_dir():
        state.mkdir()
        init_db_dir(state, 1)
    cli_main(dataflow(config), epoch_interval=EPOCH, recovery_config=RecoveryConfig(state))


if __name__ == "__main__":
    main()
