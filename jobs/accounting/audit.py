"""Compares the offsets of a topic in Kafka with what accounts for them in ClickHouse."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from clickhouse_connect.driver.client import Client

from jobs.accounting import accounted, content, offsets
from jobs.accounting.account import Account
from jobs.accounting.accounted import Accounted
from jobs.accounting.collected import Collected
from jobs.accounting.content import Difference
from jobs.accounting.missing_records import MissingRecords
from jobs.accounting.offsets import Offsets
from lib.kafka import Span

# How many offsets are compared at once.
STEP = 250_000

# Offsets below and above the one up to which the job has accounted for each record.
_Parts = tuple[Offsets, Offsets]


@dataclass
class PartitionAudit:
    """The offsets of a partition that Kafka holds, by what accounts for them."""

    account: Account
    partition: int
    # From the first record that the job was to read.
    span: Span
    collected_to: int
    lost: tuple[Span, ...] = ()
    stored: int = 0
    dead_letters: int = 0
    # Ends of transactions, aborted and compacted records.
    no_record: int = 0
    # In no table any more, as old as rows are that are removed.
    removed: int = 0
    # In no table yet, and above what the job has accounted for.
    not_read: int = 0
    # Offsets that are in Kafka and in no table.
    missing: list[Span] = field(default_factory=list)
    # Offsets with several rows, and with a row and a dead letter.
    repeated: list[Span] = field(default_factory=list)
    stored_and_dead: list[Span] = field(default_factory=list)
    # Dead letters without the bytes of the record.
    without_record: list[Span] = field(default_factory=list)
    # Only with --full.
    different: list[Difference] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether each record that the job has read is accounted for, once."""
        wrong = self.missing, self.repeated, self.stored_and_dead, self.without_record
        return not any(wrong) and not self.different


def partitions(
    kafka: MissingRecords, account: Account, collected: dict[int, Collected]
) -> list[PartitionAudit]:
    """An audit of each partition of a topic, not compared yet.

    `collected` is read before the partitions, so that records that arrive meanwhile are not read
    yet, and not missing."""
    audits = []
    for partition, held in sorted(kafka.spans(account.topic).items()):
        known = collected.get(partition, Collected(Span(held.start, held.start)))
        start = min(max(known.span.start, held.start), held.end)
        audits.append(
            PartitionAudit(account, partition, Span(start, held.end), known.span.end, known.lost)
        )
    return audits


def compare(
    client: Client, kafka: MissingRecords, audit: PartitionAudit, done: Callable[[int], None]
) -> None:
    """Compare the offsets of a partition; report the number of each part of them to `done`."""
    for part in offsets.split(audit.span, STEP):
        known = accounted.read(client, audit.account, audit.partition, part)
        _count(audit, known)
        missing, not_read = _parts(known.missing, audit.collected_to)
        audit.not_read += len(not_read)
        place = audit.account.topic, audit.partition
        # Their rows may have been removed.
        expired = audit.account.removed_before
        times = {record.offset: record.timestamp for record in kafka.read(place, missing)}
        found = [offset for offset, timestamp in times.items() if timestamp >= expired]
        audit.no_record += len(missing) - len(times)
        audit.removed += len(times) - len(found)
        _add(audit.missing, np.array(found, dtype=np.int64))
        done(part.end - part.start)


def compare_content(
    client: Client, kafka: MissingRecords, audit: PartitionAudit, done: Callable[[int], None]
) -> None:
    """Add the differences between what is stored of each record and the record."""
    columns = content.comparisons(client, audit.account)
    for part in offsets.split(audit.span, content.STEP):
        audit.different += content.compare(
            client, kafka, audit.account, audit.partition, part, columns
        )
        done(part.end - part.start)


def _count(audit: PartitionAudit, known: Accounted) -> None:
    audit.stored += len(known.stored)
    audit.dead_letters += len(np.setdiff1d(known.dead_letters, known.stored, assume_unique=True))
    _add(audit.repeated, offsets.repeated(known.rows))
    _add(audit.stored_and_dead, known.stored_and_dead)
    _add(audit.without_record, _parts(known.without_record, audit.collected_to)[0])


def _parts(values: Offsets, at: int) -> _Parts:
    index = int(np.searchsorted(values, at))
    return values[:index], values[index:]


def _add(whole: list[Span], values: Offsets) -> None:
    whole[:] = offsets.joined([*whole, *offsets.spans(values)])
