"""`python -m jobs replay-dead-letters`: runs dead letters through the SQL rules as they are now."""

from collections.abc import Mapping, Sequence

from clickhouse_connect.driver.client import Client
from rich.console import Console

from jobs import job as jobs
from jobs.accounting import account, collected
from jobs.dead_letters import bounded_run, outcome, replay_topic, selection, staging
from jobs.job import Job
from jobs.kafka import temporary_topics
from jobs.targets.calls import Call
from lib import clickhouse, kafka
from lib.errors import JobError
from lib.settings import Settings


def run(config: Settings, job: Job, where: str, *, dry_run: bool) -> None:
    """Replay the dead letters of the job's topics for which the condition is true."""
    jobs.check_accounts(job)
    console = Console(highlight=False, soft_wrap=True, markup=False)
    client = clickhouse.connect(config.clickhouse)
    with (
        jobs.replay_held(config, job.name),
        clickhouse.explained(config.clickhouse),
    ):
        staging.drop_abandoned(client, job)
        temporary_topics.drop_abandoned(config.kafka.bootstrap_servers, staging.name_pattern(job))
        for call in (call for call in job.calls if call.target.dead_letters):
            ends = _ends(config, client, job, call)
            selected = selection.places(config, job, call, where)
            places = [place for place in selected if _is_settled(place, ends)]
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
            ends = _ends(config, client, job, call)
            if not all(_is_settled(place, ends) for place in places):
                raise JobError(
                    f"job {job.name}: began again at its sources meanwhile; replay when it has "
                    "read its topics."
                )
            result, verb = outcome.store(client, job.name, staged, name), "stored"
    console.print(
        f"topic {call.topic}: {result.stored:,} {verb}, {result.refused:,} still refused, "
        f"{result.unread:,} not readable"
    )


def _letters(count: int) -> str:
    return f"{count:,} dead letter{'' if count == 1 else 's'}"


def _ends(config: Settings, client: Client, job: Job, call: Call) -> dict[int, int]:
    """The offset of each partition below which every record is accounted for."""
    ids = kafka.existing_ids(config.kafka.bootstrap_servers, [call.topic])
    accounted = next(each for each in account.of(job) if each.topic == call.topic)
    database = config.clickhouse.database
    known = collected.read(client, database, accounted, ids[call.topic])
    return {partition: each.span.end for partition, each in known.items()}


def _is_settled(place: tuple[int, int], ends: Mapping[int, int]) -> bool:
    """Whether each record below this one is accounted for: the sink leaves out those below its
    stored offset, which a new row raises."""
    partition, offset = place
    return offset < ends.get(partition, 0)
