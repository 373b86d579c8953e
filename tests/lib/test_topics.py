"""Which topics SQL files name; tests/e2e makes them on a broker."""

from pathlib import Path

import msgspec
import pytest

from lib import conf, settings, topics

SOURCE = """-- One row per record.
CREATE TEMPORARY TABLE {name}
(
    id INT
)
WITH (
    'connector' = 'kafka',
    -- 'topic' = 'old',
    'topic' = '{topics}'
)
"""


def write(folder: Path, job: str, name: str, names: str) -> None:
    (folder / "flink" / job).mkdir(parents=True, exist_ok=True)
    file = folder / "flink" / job / f"100_source_{name}.sql"
    file.write_text(SOURCE.format(name=name, topics=names))


def test_the_topics_of_every_job_are_those_that_its_files_name(tmp_path: Path) -> None:
    """A job whose files are wrong is reported, and keeps no other from its topics."""
    config = msgspec.structs.replace(conf.load(environ={}), sql_dir=tmp_path)
    for job in ("sensors", "broken", "stocks"):
        write(tmp_path, job, job, {"stocks": "${KAFKA_TOPIC}"}.get(job, f"{job};{job}-2"))
    broken = tmp_path / "flink" / "broken" / "100_source_broken.sql"
    broken.write_text(broken.read_text() + "; SELECT 1")
    lines: list[str] = []
    assert topics.of_all_jobs(config, lines.append) == [
        ("kafka.topic", "stock-ticks"),
        (f"{tmp_path}/flink/sensors/100_source_sensors.sql", "sensors"),
        (f"{tmp_path}/flink/sensors/100_source_sensors.sql", "sensors-2"),
        (f"{tmp_path}/flink/stocks/100_source_stocks.sql", "stock-ticks"),
    ]
    assert lines == [
        f"job broken: its topics are not made: {broken}:11: a second statement begins; "
        "put it into a file of its own."
    ]


@pytest.mark.parametrize(
    ("servers", "make_topics", "remedy"),
    [
        ("127.0.0.1:1", "local", "make it with `make up`"),
        ("127.0.0.1:1", "never", "make it there, set kafka.make_topics to always"),
        ("kafka.example:1", "local", "make it there, set kafka.make_topics to always"),
        ("kafka.example:1", "always", "make it with `make up`"),
    ],
)
def test_a_missing_topic_is_an_error_with_its_place(
    servers: str, make_topics: str, remedy: str
) -> None:
    values = msgspec.structs.asdict(conf.load(environ={}).kafka)
    values |= {"bootstrap_servers": servers, "make_topics": make_topics}
    error = topics.missing_topic(settings.Kafka(**values), "sql/100.sql", "ticks")
    assert str(error) == (
        f"sql/100.sql: Kafka at {servers} has no topic ticks; {remedy}, or fix the name."
    )
