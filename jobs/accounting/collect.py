"""Accounts for the records of a partition: one that no table has becomes a dead letter."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from clickhouse_connect.driver.client import Client

from jobs.accounting import accounted, dead_letters, offsets, reasons
from jobs.accounting.account import Account
from jobs.accounting.accounted import Finding
from jobs.accounting.collected import Collected
from jobs.accounting.dead_letters import DeadLetter
from jobs.accounting.missing_records import MissingRecords
from lib.errors import JobError
from lib.kafka import Record, Span

# How many offsets one step accounts for.
STEP = 250_000


def step(
    client: Client,
    kafka: MissingRecords,
    account: Account,
    partition: int,
    collected: Collected,
    end: int,
    keeps: bool = True,
) -> tuple[Collected, int]:
    """Account for the next offsets, at most STEP and up to `end`, to which the job has read; return
    how far that is, and how many records were found of which the source made no row.

    Their dead letters are stored when this returns; how far it came is for the caller to write.
    Unless it `keeps` dead letters, raise JobError for the first such record."""
    span = Span(collected.span.end, min(collected.span.end + STEP, end))
    known = accounted.read(client, account, partition, span)
    wanted = np.union1d(known.missing, known.without_record)
    lost: list[Span] = []
    found = 0
    if len(wanted):
        start = kafka.spans(account.topic)[partition].start
        lost = offsets.spans(wanted[wanted < start])
        findings: Mapping[int, Finding] = {}
        if len(known.without_record):
            findings = accounted.findings(client, account, partition, span)
        records = kafka.read((account.topic, partition), wanted[wanted >= start])
        # Their rows were removed since, and the next version is a dead letter again.
        replayed = accounted.replayed(client, account, partition, span)
        letters = _letters(account, records, findings, replayed)
        if not keeps:
            letters = _refused(account, partition, letters)
        found = dead_letters.store(client, account, partition, letters)
    every = offsets.joined(sorted([*collected.lost, *lost]))
    return Collected(Span(collected.span.start, span.end), tuple(every)), found


def _letters(
    account: Account,
    records: Iterable[Record],
    findings: Mapping[int, Finding],
    replayed: Mapping[int, int],
) -> Iterator[DeadLetter]:
    """The dead letter of each record: as the sink found it, or else as the source left it out."""
    # Of those the row may have been removed.
    expired = account.removed_before
    for record in records:
        if finding := findings.get(record.offset):
            yield DeadLetter(record, *finding)
        elif record.timestamp >= expired:
            version = replayed.get(record.offset, 0) + 1
            reason = reasons.reason(record.value)
            yield DeadLetter(record, "parse", reason, account.writer, version, is_new=True)


def _refused(
    account: Account, partition: int, letters: Iterable[DeadLetter]
) -> Iterator[DeadLetter]:
    """Those that the sink found while dead letters were kept; raise JobError for a new one."""
    for letter in letters:
        if letter.is_new:
            raise JobError(
                f"{account.topic}, partition {partition}, offset {letter.record.offset}: "
                f"{letter.reason}; correct its producer, or set dead_letters.keep to true."
            )
        yield letter
