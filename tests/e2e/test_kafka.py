"""What Kafka does to a job's records: transactions, and records deleted before they were read."""

import pytest

from tests.e2e.support import Place, Program, ticks, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

BEHIND = "SELECT lag, unknown_partitions, lost FROM stocks.jobs WHERE job = 'stocks'"
RUN = "SELECT status, message FROM stocks.job_runs FINAL ORDER BY started_at DESC LIMIT 1"


def wait_read(place: Place, job: Program, lost: str = "") -> None:
    """Return when nothing is left to read, by every report of the lag."""
    job.wait_line(r"^RUNNING  .*  lag 0  checkpoint ")
    wait_until(lambda: place.ask(BEHIND) == [[0, 0, lost]], "no lag")


def test_records_deleted_before_they_are_read_are_named_and_lag_is_the_rest(place: Place) -> None:
    """A transaction ends with an offset that is no record, partition 3 is empty."""
    for partition in (0, 1, 2):
        place.transact(ticks(100 * partition, 100 * partition + 10), partition)
    place.transact(ticks(900, 910), 0, commit=False)
    job = place.run_job()
    place.wait_count(30)
    wait_read(place, job)
    place.stop_job(job)

    # All of partition 1 was read; of the others, these were not.
    place.transact(ticks(1_000, 1_050), 2)
    place.transact(ticks(2_000, 2_010), 3)
    place.delete_records({1: 11, 2: 31, 3: 5})
    lost = [f"{place.topic}, partition 2, offsets 11 to 30", f"{place.topic}, partition 3, offset"]
    lost[1] += "s 0 to 4"
    remedy = "deleted from Kafka before the job read them; keep records for longer "
    job = place.run_job()
    for one in lost:
        job.wait_line(f"^{one}: {remedy}")
    place.wait_count(30 + 30 + 5)

    def reported() -> str:
        """What is lost, as soon as the status says all of it; it is written once a second."""
        said = str(place.ask(BEHIND)[0][2])
        return said if sorted(said.partition(": ")[0].split("; ")) == lost else ""

    said = wait_until(reported, f"{lost} in the job's status")
    wait_read(place, job, said)
    assert place.ask(RUN) == [["running", said]]
    assert place.ask("SELECT max(volume) FROM stocks.ticks WHERE volume BETWEEN 900 AND 909") == [
        [0]
    ]

    place.stop_job(job)
    assert place.ask(RUN) == [["stopped", said]]
