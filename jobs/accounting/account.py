"""What accounts for the records of a topic: an insert's table, and its table of dead letters."""

from dataclasses import dataclass

from jobs.job import Job
from jobs.targets.target import Target


@dataclass(frozen=True, slots=True)
class Account:
    """One insert of a job: each record of the topic is a row of its writer in the table, or a dead
    letter of the topic."""

    # job/name
    writer: str
    topic: str
    target: Target

    @property
    def table(self) -> str:
        """The name of the table in SQL."""
        return self.target.table

    @property
    def dead_letters(self) -> str:
        """The name of the table of dead letters in SQL."""
        return self.target.dead_letter_table


def of(job: Job) -> list[Account]:
    """The accounts of a job: of its inserts with ELSE."""
    return [
        Account(f"{job.name}/{call.target.name}", call.topic, call.target)
        for call in job.calls
        if call.target.dead_letters
    ]
