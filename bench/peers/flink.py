"""The topic as a table of Flink, for the peers that are Flink jobs beside ours.

They start from the offsets of their consumer group, which Flink commits at each checkpoint.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment, Table

from bench.peers.settings import Settings
from lib import jars, java

SOURCE = """
CREATE TEMPORARY TABLE messages (
    symbol STRING,
    price DOUBLE,
    volume BIGINT,
    `timestamp` TIMESTAMP(6),
    `partition` INT METADATA VIRTUAL,
    `offset` BIGINT METADATA VIRTUAL,
    kafka_timestamp TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL
) WITH (
    'connector' = 'kafka',
    'properties.bootstrap.servers' = '{servers}',
    'properties.group.id' = '{group}',
    'properties.auto.offset.reset' = 'earliest',
    'topic' = '{topic}',
    'scan.startup.mode' = 'group-offsets',
    'format' = 'json',
    'json.timestamp-format.standard' = 'ISO-8601'
)
"""
ROWS = """
SELECT symbol, price, volume, `timestamp`, `partition` AS kafka_partition, `offset` AS kafka_offset,
    CAST(kafka_timestamp AS TIMESTAMP(3)) AS kafka_timestamp,
    CAST('{writer}' AS STRING) AS inserted_by
FROM messages
"""


def environment(config: Settings, more_jars: Iterable[Path] = ()) -> StreamTableEnvironment:
    """A stream environment with one task and a checkpoint each second, in a Java of its own."""
    os.environ["JAVA_HOME"] = str(java.java_home())
    os.environ.setdefault("FLINK_LOG_DIR", str(config.state))
    configuration = Configuration()
    for name, value in {
        "pipeline.name": config.group,
        "pipeline.object-reuse": "true",
        "parallelism.default": "1",
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        "execution.checkpointing.interval": "1 s",
        "execution.checkpointing.dir": (config.state / "checkpoints").as_uri(),
        "restart-strategy.type": "none",
        "rest.port": "0",
        "rest.bind-address": "127.0.0.1",
        "table.local-time-zone": "UTC",
    }.items():
        configuration.set_string(name, value)
    streams = StreamExecutionEnvironment.get_execution_environment(configuration)
    streams.add_jars(*(jar.as_uri() for jar in [*jars.flink_jars(), *more_jars]))
    return StreamTableEnvironment.create(streams)


def rows(tables: StreamTableEnvironment, config: Settings, writer: str) -> Table:
    """The rows to insert: each message is parsed, and each value has its type."""
    tables.execute_sql(
        SOURCE.format(servers=config.servers, group=config.group, topic=config.topic)
    )
    return tables.sql_query(ROWS.format(writer=writer))
