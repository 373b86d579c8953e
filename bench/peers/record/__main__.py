"""A PyFlink job whose MapFunction inserts each tick, as tutorials show it.

After a kill: at least once. The job starts from the offsets of its last checkpoint, and inserts the
ticks after them again.
https://nightlies.apache.org/flink/flink-docs-release-2.3/docs/connectors/datastream/kafka/
"""

from datetime import UTC, datetime

import clickhouse_connect
from pyflink.common import Row, Types
from pyflink.datastream import MapFunction, RuntimeContext
from pyflink.table import DataTypes
from pyflink.table.expressions import col

from bench.peers import flink, settings
from bench.peers.loop.table import SETTINGS
from bench.peers.settings import Settings

# PyFlink passes no times to functions of a DataStream.
TIMES = {"timestamp", "kafka_timestamp"}


class InsertTick(MapFunction):
    """Inserts the row, and passes nothing on that anything needs."""

    def __init__(self, config: Settings, columns: list[str]) -> None:
        # Flink's worker need not find our modules.
        self._server = {"host": config.host, "port": config.port}
        self._table = config.table
        self._columns = columns

    def open(self, runtime_context: RuntimeContext) -> None:
        self._client = clickhouse_connect.get_client(
            **self._server, compress=False, autogenerate_session_id=False
        )
        # Else each insert asks for the types of the columns first.
        self._insert = self._client.create_insert_context(
            self._table, self._columns, settings=SETTINGS
        )

    def map(self, value: Row) -> bool:
        row = [
            datetime.fromisoformat(field).replace(tzinfo=UTC) if name in TIMES else field
            for name, field in zip(self._columns, value, strict=True)
        ]
        self._client.insert(data=[row], context=self._insert)
        return True


def main() -> None:
    """Run until SIGTERM."""
    config = settings.load()
    tables = flink.environment(config)
    ticks = flink.rows(tables, config, "record")
    columns = ticks.get_schema().get_field_names()
    fields = [col(n).cast(DataTypes.STRING()) if n in TIMES else col(n) for n in columns]
    stream = tables.to_data_stream(ticks.select(*fields)).map(
        InsertTick(config, columns), Types.BOOLEAN()
    )
    # A job needs a sink; this one prints, and there is nothing to print.
    stream.filter(lambda _: False).print()
    stream.get_execution_environment().execute(config.group)


if __name__ == "__main__":
    main()
