"""A selection of dead letters, as a condition of ClickHouse's SQL."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from msgspec.structs import replace

from jobs.job import Job
from jobs.targets.calls import Call
from lib import clickhouse
from lib.clickhouse_errors import is_about_statement
from lib.errors import JobError, one_line
from lib.settings import Settings

STAGES = ("parse", "rule", "sink")
_SPAN = re.compile(r"(?P<number>\d{1,6})(?P<unit>[smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


# The condition is of the rows of a subquery, which no parenthesis in it ends.
_PLACES = """
SELECT kafka_partition, kafka_offset
FROM (
    SELECT * FROM {table} FINAL
    WHERE topic = {{topic:String}} AND inserted_by = {{writer:String}}
        AND replayed_at IS NULL AND has_record
)
WHERE (
{condition}
)
ORDER BY kafka_partition, kafka_offset
"""


@dataclass(frozen=True, slots=True)
class Selection:
    """A condition, with the parameters that are in it."""

    condition: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def of(since: datetime | None, stage: str | None, topic: str | None) -> Selection:
    """Dead letters that no replay has stored, of records since a time, of a stage and a topic."""
    conditions, parameters = ["replayed_at IS NULL"], {}
    if since:
        conditions.append("kafka_timestamp >= parseDateTime64BestEffort({since:String}, 3, 'UTC')")
        parameters["since"] = since.astimezone(UTC).isoformat()
    for name, value in (("stage", stage), ("topic", topic)):
        if value:
            conditions.append(f"{name} = {{{name}:String}}")
            parameters[name] = value
    return Selection(" AND ".join(conditions), parameters)


def moment(text: str, now: datetime) -> datetime:
    """The time of a text such as `2h` (ago) or an ISO time, which is in UTC unless it names a zone;
    raise ValueError for another text."""
    if _SPAN.fullmatch(text):
        return now - duration(text)
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def duration(text: str) -> timedelta:
    """The time of a text such as `2h`; raise ValueError for another text."""
    match = _SPAN.fullmatch(text)
    if not match:
        raise ValueError(text)
    return timedelta(**{_UNITS[match["unit"]]: int(match["number"])})


def reader(config: Settings) -> Client:
    """A client of the user who cannot write, whatever a condition says."""
    settings = config.clickhouse
    return clickhouse.connect(
        replace(settings, user=settings.reader_user, password=settings.reader_password)
    )


def places(config: Settings, job: Job, call: Call, where: str) -> Sequence[tuple[int, int]]:
    """The places of the dead letters for which the condition is true; raise JobError if it is
    none."""
    sql = _PLACES.format(table=call.target.dead_letter_table, condition=where)
    parameters = {"topic": call.topic, "writer": f"{job.name}/{call.target.name}"}
    client = reader(config)
    try:
        rows = client.query(sql, parameters=parameters).result_rows
    except DatabaseError as error:
        if not is_about_statement(error.code, str(error)):
            raise
        raise JobError(
            f"--where {where!r}: ClickHouse refuses it: {one_line(error)}; write a condition on "
            f"columns of {call.target.dead_letter_table}."
        ) from error
    return [(partition, offset) for partition, offset in rows]
