"""The cases one after another, in one Java and on one stack, which are gone afterwards."""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from jobs.flink import cluster, gateway
from jobs.plan import environment
from jobs.run.runner import workers_log_to
from jobs.sql_tests import cases, own_stack, report, rows
from jobs.sql_tests.cases import Case
from jobs.sql_tests.report import Result
from jobs.sql_tests.run import Runner, options
from lib import clickhouse, conf, jars
from lib.errors import MillraceError, SqlTestError, did_you_mean
from lib.files import show
from lib.settings import Settings


def run(folder: Path, wanted: Sequence[str], *, update: bool, junit: Path | None) -> bool:
    """Run the cases of a folder and print them; return whether all have passed. Raise MillraceError
    for a case that cannot be read."""
    found = cases.read(folder, wanted)
    console = Console(highlight=False, soft_wrap=True, markup=False)
    results = []
    with ExitStack() as held:
        bar = held.enter_context(
            Progress(console=console, transient=True, disable=not console.is_terminal)
        )
        task = bar.add_task("starting Kafka, ClickHouse and Flink", total=len(found))
        runner = _started(held)
        for case in found:
            bar.update(task, description=case.title)
            results.append(_result(runner, case, update))
            report.line(console, results[-1])
            bar.advance(task)
    if junit:
        report.junit(junit, results)
    console.print(report.summary(results))
    return all(result.passed for result in results)


def _started(held: ExitStack) -> Runner:
    """A runner, with a stack and a Java that go with `held`."""
    folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="millrace-")))
    config = held.enter_context(own_stack.running(folder))
    client = clickhouse.connect(config.clickhouse)
    held.enter_context(workers_log_to(folder / "log" / "python.log"))
    # The API is started by a fork beside the threads of gRPC, which would say so.
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    # The only variable by which PyFlink takes more for Java's class path.
    os.environ["HADOOP_CLASSPATH"] = os.pathsep.join(map(str, jars.flink_jars()))
    flink = options(conf.flink_options())
    held.enter_context(gateway.running(folder, "test", flink))
    port = held.enter_context(cluster.shared(environment.options(config, "test", flink)))
    return Runner(client, port, _api(held, config))


def _api(held: ExitStack, config: Settings) -> Callable[[], str]:
    """A function that starts the API when it is called first, and returns its address."""
    started = list[str]()

    def address() -> str:
        if not started:
            held.enter_context(own_stack.program("api", until="endpoints at"))
            started.append(f"http://{config.api.address}")
        return started[0]

    return address


def _result(runner: Runner, case: Case, update: bool) -> Result:
    begun = time.monotonic()
    place = show(case.folder)

    def result(**facts: object) -> Result:
        return Result(case.title, place, time.monotonic() - begun, **facts)  # type: ignore[arg-type]

    try:
        is_new = update and not case.expected.exists()
        named, expected = ([], []) if is_new else rows.read(case.expected)
        columns, found = runner.run(case)
        came = rows.written(_compared(case, named, columns), found, case.expected.suffix)
        difference = rows.difference(expected, came)
        if not update:
            return result(difference=difference)
        case.expected.write_text("".join(f"{line}\n" for line in came), encoding="utf-8")
        return result(is_updated=is_new or bool(difference))
    except MillraceError as error:
        return result(error=" ".join(error.lines))


def _compared(case: Case, named: Sequence[str], columns: Sequence[str]) -> Sequence[str]:
    """The columns that the expected rows name, by default all there are; raise SqlTestError for one
    that does not exist, unless no row came."""
    for name in named if columns else ():
        if name not in columns:
            raise SqlTestError(
                f"{show(case.expected)}: column {name}: {did_you_mean(name, columns)}"
            )
    return named or columns
