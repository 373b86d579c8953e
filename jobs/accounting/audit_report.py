"""The report of an audit: a table of numbers, and a line for each kind of wrong offsets."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table

from jobs.accounting import offsets
from jobs.accounting.audit import PartitionAudit
from lib.kafka import Span

# How many runs of offsets a line names.
SHOWN = 20


def table(audits: Sequence[PartitionAudit]) -> Table:
    """A row for each partition, and the totals."""
    shown = Table(show_footer=len(audits) > 1, box=None, pad_edge=False)
    shown.add_column("topic", footer="all", no_wrap=True)
    shown.add_column("partition", justify="right")
    names = numbers(audits[0])
    for name in names:
        total = sum(numbers(audit)[name] for audit in audits)
        shown.add_column(name, justify="right", footer=f"{total:,}", no_wrap=True)
    for audit in audits:
        figures = [f"{number:,}" for number in numbers(audit).values()]
        shown.add_row(audit.account.topic, str(audit.partition), *figures)
    return shown


def numbers(audit: PartitionAudit) -> dict[str, int]:
    """The numbers of one partition by their headings."""
    return {
        "offsets": audit.span.end - audit.span.start,
        "stored": audit.stored,
        "dead letters": audit.dead_letters,
        "no record": audit.no_record,
        "removed": audit.removed,
        "not read yet": audit.not_read,
        "lost": offsets.count(audit.lost),
        "MISSING": offsets.count(audit.missing),
        "DOUBLED": offsets.count(audit.repeated) + offsets.count(audit.stored_and_dead),
    }


def findings(audit: PartitionAudit) -> Iterator[str]:
    """What is wrong with a partition, and what was lost, each with its offsets and a remedy."""
    account = audit.account
    both = f"{account.table} and {account.dead_letters}"
    kinds = (
        (
            audit.lost,
            "LOST",
            "Kafka deleted them before they were accounted for; keep records for longer (the "
            "topic's retention.ms and retention.bytes)",
        ),
        (
            audit.missing,
            "MISSING",
            f"in Kafka, and neither in {account.table} as rows of {account.writer} nor in "
            f"{account.dead_letters}; if rows were deleted, empty the table and start the job "
            "again with `make run-job ARGS=--fresh`",
        ),
        (
            audit.repeated,
            "DOUBLED",
            f"several rows in {account.table}; rows of one key, which FINAL shows once, are merged "
            f"by OPTIMIZE TABLE {account.table} FINAL, others are to be deleted",
        ),
        (
            audit.stored_and_dead,
            "DOUBLED",
            f"in {both}; complete a replay that was interrupted: run it again",
        ),
        (
            audit.without_record,
            "INCOMPLETE",
            f"dead letters in {account.dead_letters} without the key and value of their records",
        ),
    )
    for spans, kind, meaning in kinds:
        if spans:
            place = f"{account.topic}, partition {audit.partition}"
            yield f"{place}: {kind} {_offsets(spans)}: {meaning}."
    yield from _differences(audit)


def _differences(audit: PartitionAudit) -> Iterator[str]:
    place = f"{audit.account.topic}, partition {audit.partition}"
    for each in audit.different[:SHOWN]:
        yield f"{place}: DIFFERENT offset {each.offset}: {each.fact}."
    if len(audit.different) > SHOWN:
        yield f"{place}: DIFFERENT: {len(audit.different) - SHOWN:,} more."


def _offsets(spans: Sequence[Span]) -> str:
    plural = "s" if offsets.count(spans) > 1 else ""
    return f"offset{plural} {offsets.text(spans, SHOWN)}"


def summary(audits: Sequence[PartitionAudit]) -> str:
    """The totals in one line."""
    total = {name: sum(numbers(audit)[name] for audit in audits) for name in numbers(audits[0])}
    wrong = {name.lower(): total[name] for name in ("MISSING", "DOUBLED")}
    wrong["different"] = sum(len(audit.different) for audit in audits)
    wrong["incomplete"] = sum(offsets.count(audit.without_record) for audit in audits)
    shown = ", ".join(f"{number:,} {name}" for name, number in wrong.items() if number)
    verdict = shown or "every record is accounted for, once"
    records = total["stored"] + total["dead letters"]
    return f"{records:,} records, {total['dead letters']:,} of them dead letters: {verdict}"


def as_json(audit: PartitionAudit) -> dict[str, Any]:
    """A partition's numbers, and its offsets as pairs [first, last]."""

    def pairs(spans: Sequence[Span]) -> list[list[int]]:
        return [[span.start, span.end - 1] for span in spans]

    return {
        "writer": audit.account.writer,
        "topic": audit.account.topic,
        "partition": audit.partition,
        "is_complete": audit.is_complete,
        "first_offset": audit.span.start,
        "end_offset": audit.span.end,
        "collected_to": audit.collected_to,
        "stored": audit.stored,
        "dead_letters": audit.dead_letters,
        "no_record": audit.no_record,
        "removed": audit.removed,
        "not_read": audit.not_read,
        "lost": pairs(audit.lost),
        "missing": pairs(audit.missing),
        "repeated": pairs(audit.repeated),
        "stored_and_dead": pairs(audit.stored_and_dead),
        "without_record": pairs(audit.without_record),
        "different": [[each.offset, each.fact] for each in audit.different],
    }
