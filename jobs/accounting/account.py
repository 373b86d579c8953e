"""An account of a topic: the table of an insert and its table of dead letters."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from jobs.job import Job
from jobs.targets.target import Target
from lib import retention


@dataclass(frozen=True, slots=True)
class Account:
    """One insert of a job: each record of the topic is a row of its writer in the table, or a dead
    letter of the topic."""

    # job/name
    writer: str
    topic: str
    target: Target
    # After how many days rows of one of the tables are removed; None: never.
    kept_days: int | None = None

    @property
    def table(self) -> str:
        """The name of the table in SQL."""
        return self.target.table

    @property
    def dead_letters(self) -> str:
        """The name of the table of dead letters in SQL."""
        return self.target.dead_letter_table

    @property
    def removed_before(self) -> int:
        """The timestamp before which a record may have been removed, in milliseconds since 1970."""
        return retention.removed_before(self.kept_days)


def of(job: Job, kept_days: Mapping[str, int | None] = MappingProxyType({})) -> list[Account]:
    """The accounts of a job: of its inserts with ELSE. `kept_days` is retention.days."""
    return [
        Account(
            f"{job.name}/{call.target.name}",
            call.topic,
            call.target,
            retention.shortest(kept_days, _tables(call.target)),
        )
        for call in job.calls
        if call.target.dead_letters
    ]


def _tables(target: Target) -> list[str]:
    """The names of both tables, as retention.days has them."""
    pairs = [(target.database, target.relation), target.dead_letters or ()]
    return [".".join(pair) for pair in pairs]
