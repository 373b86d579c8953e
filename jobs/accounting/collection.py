"""Collects the accounts of a job, and keeps how far it is in ClickHouse."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from clickhouse_connect.driver.client import Client

from jobs.accounting import collect, collected, missing_records
from jobs.accounting.account import Account
from jobs.accounting.collected import Collected
from jobs.accounting.missing_records import MissingRecords
from lib import clickhouse
from lib.errors import MillraceError
from lib.kafka import Partition, Span
from lib.settings import Settings


class Collection:
    """Accounts for records up to given offsets, from where the last call or run ended."""

    def __init__(
        self,
        config: Settings,
        accounts: Sequence[Account],
        topics: Mapping[str, str],
        committed: bool,
        starts: Mapping[Partition, int] | None,
    ) -> None:
        """`topics` has the id of each. `starts` has the offset at which the source began to read
        each partition, as soon as that is known; None if it is the first that Kafka has."""
        self._config = config
        self.accounts = accounts
        self._topics = topics
        self._committed = committed
        self._starts = starts
        self._client: Client | None = None
        self._known: dict[Account, dict[int, Collected]] = {account: {} for account in accounts}
        # How many dead letters of the stage parse were stored.
        self.unparsed = 0

    def left(self, ends: Mapping[Partition, int]) -> int:
        """How many offsets are not accounted for, as far as it is known."""
        return sum(
            max(ends.get((account.topic, partition), 0) - known.span.end, 0)
            for account, partitions in self._known.items()
            for partition, known in [*partitions.items()]
        )

    def begin_again(self) -> None:
        """Account again for each record that Kafka still has: the source reads them all again, and
        a table may have been emptied. Raise ServiceError as `collect` does."""
        if self._starts is not None or not self.accounts:
            return
        with self._services() as (client, kafka):
            for account in self.accounts:
                held = kafka.spans(account.topic)
                again = {
                    partition: replace(known, span=_first(known.span, held[partition].start))
                    for partition, known in self._known[account].items()
                    if partition in held
                }
                self._write(client, account, again)

    def collect(self, ends: Mapping[Partition, int], goes_on: Callable[[], bool]) -> None:
        """Account for each record up to these offsets, as long as `goes_on` is true. Raise
        ServiceError if a service does not answer; the next call continues from there."""
        with self._services() as (client, kafka):
            for account in self.accounts:
                while goes_on() and self._advance(client, kafka, account, ends):
                    pass

    @contextmanager
    def _services(self) -> Iterator[tuple[Client, MissingRecords]]:
        servers = self._config.kafka.bootstrap_servers
        try:
            with (
                clickhouse.explained(self._config.clickhouse),
                missing_records.opened(servers, self._committed) as kafka,
            ):
                self._client = self._client or self._connected()
                yield self._client, kafka
        except MillraceError:
            # What ClickHouse has is read again: the answer of an insert may be lost.
            self._client = None
            raise

    def _connected(self) -> Client:
        settings = self._config.clickhouse
        # Offsets are compressed for a network, which loopback is not.
        client = clickhouse.connect(settings, compress=not settings.is_local)
        database = self._config.clickhouse.database
        collected.check(client, database)
        for account in self.accounts:
            topic_id = self._topics[account.topic]
            self._known[account] = collected.read(client, database, account, topic_id)
        return client

    def _advance(
        self, client: Client, kafka: MissingRecords, account: Account, ends: Mapping[Partition, int]
    ) -> bool:
        """Collect the next offsets of each partition; return whether any were left."""
        known = self._known[account]
        own = {partition: end for (topic, partition), end in ends.items() if topic == account.topic}
        self._begin(kafka, account, own.keys() - known.keys())
        new: dict[int, Collected] = {}
        for partition, end in own.items():
            if partition in known and known[partition].span.end < end:
                new[partition], unparsed = collect.step(
                    client,
                    kafka,
                    account,
                    partition,
                    known[partition],
                    end,
                    self._config.dead_letters.keep,
                )
                self.unparsed += unparsed
        self._write(client, account, new)
        return bool(new)

    def _write(self, client: Client, account: Account, new: Mapping[int, Collected]) -> None:
        if new:
            database, topic_id = self._config.clickhouse.database, self._topics[account.topic]
            collected.write(client, database, account, topic_id, new)
            self._known[account].update(new)

    def _begin(self, kafka: MissingRecords, account: Account, partitions: Iterable[int]) -> None:
        """Begin with new partitions, at the offset at which the source began."""
        for partition in partitions:
            if self._starts is None:
                start = kafka.spans(account.topic)[partition].start
            else:
                place = account.topic, partition
                if place not in self._starts:
                    continue
                start = self._starts[place]
            self._known[account][partition] = Collected(Span(start, start))


def _first(span: Span, start: int) -> Span:
    """The part of a span that Kafka no longer has; its offsets begin at `start`."""
    return Span(span.start, min(max(span.start, start), span.end))
