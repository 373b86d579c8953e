"""What accounts for the records of a topic: an insert's table, and its table of dead letters."""

from dataclasses import dataclass


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
