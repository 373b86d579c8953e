"""The cases one after another, in one Java and on one stack, which are gone afterwards."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
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
from lib.errors import MillraceError, RestartError, SetupError, SqlTestError, did_you_mean
from lib.files import show
from lib.settings import Settings


def run(
    config: Settings,
    folder: Path,
    wanted: Sequence[str],
    *,
    update: bool,
    junit: Path | None,
    limit: float,
) -> bool:
    """Run the cases of a folder, each for `limit` seconds at most, and print them; return whether
    all have passed. Raise MillraceError for a case that cannot be read."""
    found = cases.read(folder, wanted)
    console = Console(highlight=False, soft_wrap=True, markup=False)
    results = list[Result]()
    logs = config.data_dir / "log" / "test-sql"
    with _explained(logs), ExitStack() as held:
        bar = held.enter_context(
            Progress(console=console, transient=True, disable=not console.is_terminal)
        )
        task = bar.add_task("starting Kafka, ClickHouse and Flink", total=len(found))
        runner = _started(held, logs, limit)
        for case in found:
            bar.update(task, description=case.title)
            results.append(_result(runner, case, update))
            report.line(console, results[-1])
            bar.advance(task)
    if junit:
        report.junit(junit, results)
    console.print(report.summary(results))
    return all(result.passed for result in results)


@contextmanager
def _explained(logs: Path) -> Iterator[None]:
    """Name the folder in which logs stay. There is no checkpoint from which Java could go on."""
    try:
        yield
    except RestartError as error:
        raise SqlTestError(f"Flink's Java ended; see {show(logs)}, then try again.") from error
    except SetupError as error:
        raise SqlTestError(
            f"the servers do not start; see {show(logs)}, then try again."
        ) from error


def _started(held: ExitStack, logs: Path, limit: float) -> Runner:
    """A runner, with a stack and a Java that go with `held`; their logs stay in a folder."""
    folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="millrace-")))
    held.callback(_keep, folder / "log", logs)
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
    api = held.enter_context(closing(_Api(config.api.address)))
    return Runner(client, port, api.url, logs, limit)


def _keep(folder: Path, logs: Path) -> None:
    """Put the logs of this run in the place of those of the last one."""
    shutil.rmtree(logs, ignore_errors=True)
    if folder.exists():
        shutil.copytree(folder, logs)


class _Api:
    """One API at a time. It starts again for other settings, and for a request that it could answer
    from its cache."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._running = ExitStack()
        self._values: Mapping[str, str] | None = None
        self._asked = set[str]()

    def url(self, endpoint: str, values: Mapping[str, str]) -> str:
        """The URL of an endpoint, at an API with these variables of the environment."""
        if values != self._values or endpoint in self._asked:
            self.close()
            environ = {**os.environ, **values}
            self._running.enter_context(
                own_stack.program("api", until="endpoints at", environ=environ)
            )
            self._values = values
        self._asked.add(endpoint)
        return f"http://{self._address}{endpoint}"

    def close(self) -> None:
        self._running.close()
        self._values = None
        self._asked.clear()


def _result(runner: Runner, case: Case, update: bool) -> Result:
    begun = time.monotonic()
    place = show(case.folder)

    def result(**facts: object) -> Result:
        return Result(case.title, place, time.monotonic() - begun, **facts)  # type: ignore[arg-type]

    try:
        is_new = update and not case.expected.exists()
        named, expected = ([], []) if is_new else rows.read(case.expected)
        columns, found = runner.run(case)
        # The rows of a view have no order.
        in_order = bool(case.options.endpoint)
        compared = _compared(case, named, columns)
        came = rows.written(compared, found, case.expected.suffix, in_order=in_order)
        difference = rows.difference(expected, came, in_order=in_order)
        if not update:
            return result(difference=difference)
        case.expected.write_bytes("".join(f"{line}\n" for line in came).encode())
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
