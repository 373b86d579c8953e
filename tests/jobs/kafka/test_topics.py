"""Recreated topics: recognized by their ids, refused while rows of the earlier ones remain."""

from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from jobs.kafka import topics
from jobs.targets.target import parse
from lib.errors import JobError
from tests.jobs.targets.test_dead_letters import make


def test_a_topic_with_another_id_is_another_topic(tmp_path: Path) -> None:
    assert topics.changed(tmp_path / "new", {"ticks": "1"}) == []
    topics.remember(tmp_path, {"ticks": "1", "other": "5"})
    assert topics.changed(tmp_path, {"ticks": "1"}) == []
    topics.check_same(tmp_path, {"ticks": "1", "third": "7"})
    assert topics.changed(tmp_path, {"ticks": "2", "other": "5"}) == ["ticks"]
    with pytest.raises(JobError, match="topic ticks: was recreated while the job read it"):
        topics.check_same(tmp_path, {"ticks": "2"})


def test_topics_of_one_version_of_a_job_are_kept_for_the_others(tmp_path: Path) -> None:
    topics.remember(tmp_path, {"ticks": "1"})
    topics.remember(tmp_path, {"other": "5"})
    assert topics.changed(tmp_path, {"ticks": "2", "other": "5"}) == ["ticks"]


def test_another_topic_is_refused_while_its_records_would_be_left_out(
    client: Client, database: str
) -> None:
    columns = "(kafka_partition, kafka_offset, kafka_timestamp)"
    target = f"{database}.t {columns}"
    client.command(
        f"CREATE TABLE {database}.t (kafka_partition Int32, kafka_offset Int64,"
        " kafka_timestamp DateTime64(3), inserted_by String) ENGINE = MergeTree ORDER BY tuple()"
    )
    client.insert(f"{database}.t", [[0, 1, 0, "job/t"]])
    with pytest.raises(JobError, match=rf"topic ticks: was recreated, and {database}\.t holds"):
        topics.check_nothing_stored(client, "job", ["ticks"], [parse(target)])
    topics.check_nothing_stored(
        client, "job", ["ticks"], map(parse, [f"{target} AS again", "a.b (c)"])
    )
    client.command(f"TRUNCATE TABLE {database}.t")
    topics.check_nothing_stored(client, "job", ["ticks"], [parse(target)])


def test_dead_letters_of_the_earlier_topic_are_refused_too(client: Client, database: str) -> None:
    assert make(client, database) == ""
    client.command(
        f"CREATE TABLE {database}.t (inserted_by String) ENGINE = MergeTree ORDER BY tuple()"
    )
    client.insert(f"{database}.dead", [["other"], ["ticks"]], ["topic"])
    columns = "(kafka_partition, kafka_offset, kafka_timestamp)"
    target = parse(f"{database}.t {columns} ELSE {database}.dead (reason)")
    with pytest.raises(JobError) as error:
        topics.check_nothing_stored(client, "job", ["ticks"], [target])
    assert str(error.value) == (
        f"topic ticks: was recreated, and {database}.dead holds records of the earlier one; "
        f"remove them (DELETE FROM {database}.dead WHERE topic = 'ticks')."
    )
    client.command(f"DELETE FROM {database}.dead WHERE topic = 'ticks'")
    topics.check_nothing_stored(client, "job", ["ticks"], [target])
