"""What accounts for the records of a topic: an insert's table, and its table of dead letters."""

from dataclasses import dataclass

from jobs.job import Job


@dataclass(frozen=True, slots=True)
class Account:
    """One insert of a job: each record of the topic is a row of its writer in the table, or a dead
    letter of the topic."""

    # job/name
    writer: str
    topic: str
    # Both in SQL, quoted if necessary.
    table: str
    dead_letters: str
    # The columns that the insert fills.
    columns: tuple[str, ...] = ()


def of(job: Job) -> list[Account]:
    """The accounts of a job: of its inserts with ELSE."""
    return [
        Account(
            f"{job.name}/{call.target.name}",
            call.topic,
            call.target.table,
            call.target.dead_letter_table,
            call.target.columns,
        )
        for call in job.calls
        if call.target.dead_letters
    ]
