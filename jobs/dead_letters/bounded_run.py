"""Runs the SQL of a job once over the records of a replay, into the tables of the replay."""

from collections.abc import Mapping
from dataclasses import replace

from msgspec.structs import replace as with_settings

from jobs import job as jobs
from jobs.dead_letters.staging import Staging
from jobs.job import Job
from jobs.kafka import sources
from jobs.run import bounded
from lib.settings import Settings
from lib.sqlfiles import SqlFile


def run(config: Settings, job: Job, staging: Staging, topic: str) -> None:
    """Return when each record that the source can read is a row or a dead letter in the tables of
    the replay; raise JobError if Flink refuses the SQL or fails."""
    letters = with_settings(config.dead_letters, keep=True)
    bounded.run(with_settings(config, dead_letters=letters), _replayed(config, job, staging, topic))


def _replayed(config: Settings, job: Job, staging: Staging, topic: str) -> Job:
    """The job with the replay's topic and tables in place of its own, and only the inserts whose
    rows each identify a record of the topic."""
    texts = {call.text: call.target for call in job.calls}
    stand_ins = {
        text: staging.targets[target].text
        for text, target in texts.items()
        if target in staging.targets
    }
    files = [_file(file, stand_ins, staging, topic) for file in job.files]
    replayed = jobs.of(config, f"{job.name}-replay", [file for file in files if file], job.options)
    return replace(replayed, options_file=job.options_file)


def _file(
    file: SqlFile, stand_ins: Mapping[str, str], staging: Staging, topic: str
) -> SqlFile | None:
    if file.kind != "insert":
        return sources.bounded(file, staging.call.topic, topic)
    for text, _ in file.targets:
        if text in stand_ins:
            old, new = (each.replace("'", "''") for each in (text, stand_ins[text]))
            return replace(file, text=file.text.replace(old, new))
    return None
