"""A Flink job whose rows go through Flink's JDBC sink and ClickHouse's JDBC driver, all in Java.

After a kill: at least once. The sink inserts its batch before each checkpoint, and the job starts
from the offsets of the last one.
https://nightlies.apache.org/flink/flink-docs-release-2.0/docs/connectors/datastream/jdbc/

Flink's SQL cannot use the driver, because the connector has no dialect for ClickHouse. The class of
PyFlink for the sink looks for names that the connector no longer has. Its Java classes can be used.
"""

from urllib.parse import urlencode

from py4j.java_gateway import JavaObject
from pyflink.java_gateway import get_gateway
from pyflink.util.java_utils import to_jarray

from bench.peers import flink, places, settings
from bench.peers.loop.table import ROWS, SECONDS
from bench.peers.settings import Settings

CONNECTOR = "org.apache.flink.connector.jdbc"
# The type in java.sql.Types of a value that the driver converts by its Java class.
OTHER = 1111
PROPERTIES = {
    # Else the driver sends each value as text.
    "beta.row_binary_for_simple_insert": "true",
    # As our sink does: merges make the indexes.
    "clickhouse_setting_materialize_skip_indexes_on_insert": "0",
}
# All columns of the table, in its order: the driver takes the first value for the first column of
# the table, whatever the statement names.
ALL_COLUMNS = """
SELECT symbol, price, volume, `timestamp`, kafka_partition, kafka_offset, kafka_timestamp,
    CAST(CURRENT_TIMESTAMP AS TIMESTAMP(3)) AS received_at, inserted_by,
    CAST(CURRENT_TIMESTAMP AS TIMESTAMP(3)) AS inserted_at
FROM ticks
"""


def statement(fields: int) -> JavaObject:
    """What puts the fields of a row in a prepared statement; the connector has it, unpublished."""
    jvm = get_gateway().jvm
    types = to_jarray(jvm.int, [OTHER] * fields)
    loader = jvm.Thread.currentThread().getContextClassLoader()
    owner = jvm.Class.forName(f"{CONNECTOR}.internal.RowJdbcOutputFormat", False, loader)
    method = owner.getDeclaredMethod(
        "createRowJdbcStatementBuilder", to_jarray(jvm.Class, [types.getClass()])
    )
    method.setAccessible(True)
    return method.invoke(None, to_jarray(jvm.Object, [types]))


def sink(config: Settings, columns: list[str]) -> JavaObject:
    """The JDBC sink, with batches of so many rows or milliseconds."""
    jdbc = get_gateway().jvm.org.apache.flink.connector.jdbc
    options = jdbc.JdbcExecutionOptions.builder()
    options = options.withBatchSize(ROWS).withBatchIntervalMs(int(1000 * SECONDS))
    connection = jdbc.JdbcConnectionOptions.JdbcConnectionOptionsBuilder()
    url = f"jdbc:clickhouse://{config.host}:{config.port}/?{urlencode(PROPERTIES)}"
    connection = connection.withUrl(url).withDriverName("com.clickhouse.jdbc.ClickHouseDriver")
    places_of_values = ", ".join("?" for _ in columns)
    sql = f"INSERT INTO {config.table} ({', '.join(columns)}) VALUES ({places_of_values})"
    builder = jdbc.core.datastream.sink.JdbcSink.builder()
    builder = builder.withQueryStatement(sql, statement(len(columns)))
    return builder.withExecutionOptions(options.build()).buildAtLeastOnce(connection.build())


def main() -> None:
    """Run until SIGTERM."""
    config = settings.load()
    tables = flink.environment(config, places.jars("jdbc"))
    tables.create_temporary_view("ticks", flink.rows(tables, config, "jdbc"))
    ticks = tables.sql_query(ALL_COLUMNS)
    stream = tables.to_data_stream(ticks)
    stream._j_data_stream.sinkTo(sink(config, ticks.get_schema().get_field_names()))
    stream.get_execution_environment().execute(config.group)


if __name__ == "__main__":
    main()
