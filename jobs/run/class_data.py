"""`python -m jobs.run.class_data`: run a job that needs no server, in a Java that makes the archive
of the classes it has loaded when it ends."""

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from pyflink.table import DataTypes, TableEnvironment
from pyflink.table.udf import udf

from jobs import job
from jobs.flink import gateway, state
from jobs.plan import build, environment
from lib import class_data, conf, ports
from lib.errors import MillraceError, exit_on_error
from lib.settings import Settings

# Two seconds, so that checkpoints are made meanwhile.
_STATEMENTS = (
    "CREATE TEMPORARY TABLE numbers (number BIGINT, name STRING, moment TIMESTAMP_LTZ(3)) WITH"
    " ('connector' = 'datagen', 'number-of-rows' = '400', 'rows-per-second' = '200')",
    "CREATE TEMPORARY TABLE nowhere (number BIGINT) WITH ('connector' = 'blackhole')",
)
_INSERT = "INSERT INTO nowhere SELECT passed(number, name, moment) FROM numbers"
_OPTIONS = {"execution.checkpointing.interval": "500 ms", "execution.checkpointing.min-pause": "0"}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, class_data.making("flink"):
        config = conf.load()
        flink = replace(config.flink, rest_port=ports.free(1)[0])
        run(replace(config, data_dir=Path(folder), flink=flink))


def run(config: Settings) -> None:
    """Plan every job, run the one without a server, and end Java in order."""
    saved = state.options(config.data_dir / "flink" / "none", None)
    options = environment.short_lived({**conf.flink_options(), **saved, **_OPTIONS})
    with gateway.running(config.data_dir, "class-data", options) as java:
        for folder in sorted((config.sql_dir / "flink").iterdir()):
            # Its files may be wrong, which is reported when it is run.
            with suppress(MillraceError):
                loaded = job.load(config, folder.name)
                build.build(config, loaded, {**options, **loaded.options})
        _run_numbers(environment.create(config, "class-data", options))
        java.exit()


def _run_numbers(tables: TableEnvironment) -> None:
    def passed(number: Any, *_: Any) -> Any:
        return number

    function = udf(passed, result_type=DataTypes.BIGINT(), func_type="pandas")
    tables.create_temporary_system_function("passed", function)
    for statement in _STATEMENTS:
        tables.execute_sql(statement)
    tables.execute_sql(_INSERT).wait()


if __name__ == "__main__":
    with exit_on_error():
        main()
