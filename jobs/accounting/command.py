"""`python -m jobs audit`: compares, with a progress bar, and shows the result."""

import json
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from jobs import job as jobs
from jobs.accounting import account, audit, audit_report, collected, missing_records
from jobs.accounting.audit import PartitionAudit
from jobs.job import Job
from lib import clickhouse, kafka
from lib.settings import Settings

# The least width of the table, in characters.
WIDTH = 120


def run(config: Settings, job: Job, full: bool, as_json: bool) -> bool:
    """Audit the topics of a job and show the result; return whether each record is accounted for.

    `full` compares the content of each record, too."""
    audits = _audits(config, job, full)
    is_complete = all(each.is_complete for each in audits)
    if as_json:
        whole = {
            "job": job.name,
            "is_complete": is_complete,
            "partitions": [audit_report.as_json(each) for each in audits],
        }
        print(json.dumps(whole, indent=2))
        return is_complete
    console = Console(highlight=False, soft_wrap=True)
    # No number is cut off in a file or a narrow terminal.
    console.width = max(console.width, WIDTH)
    console.print(audit_report.table(audits))
    for each in audits:
        for finding in audit_report.findings(each):
            console.print(finding, markup=False)
    console.print(f"job {job.name}: {audit_report.summary(audits)}")
    return is_complete


def _audits(config: Settings, job: Job, full: bool) -> list[PartitionAudit]:
    database, servers = config.clickhouse.database, config.kafka.bootstrap_servers
    jobs.check_accounts(job)
    accounts = account.of(job, config.retention.days)
    client = clickhouse.connect(config.clickhouse, compress=not config.clickhouse.is_local)
    ids = kafka.existing_ids(servers, [each.topic for each in accounts])
    audits = []
    with (
        clickhouse.explained(config.clickhouse),
        missing_records.opened(servers, job.reads_committed) as topics,
        _progress() as progress,
    ):
        collected.check(client, database)
        for each in accounts:
            known = collected.read(client, database, each, ids[each.topic])
            audits += audit.partitions(topics, each, known)
        total = sum(each.span.end - each.span.start for each in audits)
        steps = {"offsets": audit.compare} | ({"content": audit.compare_content} if full else {})
        for name, compare in steps.items():
            task = progress.add_task(f"comparing {name}", total=total)
            for one in audits:
                compare(client, topics, one, partial(progress.advance, task))
    return audits


def _progress() -> Progress:
    """A progress bar on stderr, so that stdout holds only the result; shown only on a terminal."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
