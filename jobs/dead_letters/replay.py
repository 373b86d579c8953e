"""`python -m jobs replay-dead-letters`: runs dead letters through the SQL rules as they are now."""

from collections.abc import Sequence

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from rich.console import Console

from jobs.dead_letters import bounded_run, outcome, replay_topic, selection, staging
from jobs.job import Job, replay_lock_file
from jobs.targets.calls import Call
from lib import clickhouse, locks
from lib.clickhouse_errors import ACCESS, is_transient
from lib.errors import JobError, one_line
from lib.settings import Settings

# Only what has its record and is accounted for with all before it: the collector completes a dead
# letter when a checkpoint covers it, so that its row, stored, hides no record from the job's sink.
_PLACES = """
SELECT kafka_partition, kafka_offset
FROM {table} FINAL
WHERE topic = {{topic:String}} AND replayed_at IS NULL AND has_record
    AND (
{condition}
    )
ORDER BY kafka_partition, kafka_offset
"""


def run(config: Settings, job: Job, where: str, *, dry_run: bool) -> None:
    """Replay the dead letters of the job's topics for which the condition is true."""
    accounting = [call for call in job.calls if call.target.dead_letters]
    if not accounting:
        raise JobError(f"job {job.name}: no insert keeps dead letters; name a table after ELSE.")
    console = Console(highlight=False, soft_wrap=True, markup=False)
    client = clickhouse.connect(config.clickhouse)
    lock = replay_lock_file(config, job.name)
    with (
        locks.held(lock, f"a replay of job {job.name}", "wait until it has ended."),
        clickhouse.explained(config.clickhouse),
    ):
        staging.drop_abandoned(client, job)
        replay_topic.drop_abandoned(config.kafka.bootstrap_servers, staging.name_pattern(job))
        for call in accounting:
            places = _places(config, call, where)
            console.print(f"topic {call.topic}: {_letters(len(places))} to replay")
            if places:
                _replay(config, client, job, call, places, console, dry_run)


def _replay(
    config: Settings, client: Client, job: Job, call: Call, places: Sequence[tuple[int, int]],
    console: Console, dry_run: bool,
) -> None:  # fmt: skip
    name = staging.new_name(job)
    servers = config.kafka.bootstrap_servers
    with (
        staging.opened(client, job, call, name, places) as staged,
        replay_topic.filled(servers, name, client, staged) as topic,
    ):
        bounded_run.run(config, job, staged, topic)
        if dry_run:
            result, verb = outcome.expected(client, staged), "would be stored"
        else:
            result, verb = outcome.store(client, job.name, staged, name), "stored"
    console.print(
        f"topic {call.topic}: {result.stored:,} {verb}, {result.refused:,} still refused, "
        f"{result.unread:,} not readable"
    )


def _letters(count: int) -> str:
    return f"{count:,} dead letter{'' if count == 1 else 's'}"


def _places(config: Settings, call: Call, where: str) -> Sequence[tuple[int, int]]:
    """The places of the dead letters for which the condition is true; raise JobError if it is
    none."""
    sql = _PLACES.format(table=call.target.dead_letter_table, condition=where)
    reader = selection.reader(config)
    try:
        rows = reader.query(sql, parameters={"topic": call.topic}).result_rows
    except DatabaseError as error:
        if error.code is None or error.code in ACCESS or is_transient(error.code, str(error)):
            raise
        raise JobError(
            f"--where {where!r}: ClickHouse refuses it: {one_line(error)}; write a condition on "
            f"columns of {call.target.dead_letter_table}."
        ) from error
    return [(partition, offset) for partition, offset in rows]
