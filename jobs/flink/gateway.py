"""Starts, watches and ends Flink's Java, which PyFlink finds by its port.

PyFlink would start it without a handle, and leave its files in the system's temporary folder.
"""

import gc
import os
import shlex
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from py4j.protocol import Py4JError
from pyflink import java_gateway
from pyflink.pyflink_gateway_server import launch_gateway_server_process

from jobs.flink import watch
from lib import class_data, jars, java, locks
from lib.errors import JobError, MillraceError, RestartError, one_line
from lib.files import show

# Options of the JVM itself, which Flink's own start scripts would pass.
JVM_OPTIONS = "env.java.opts.all"

# The program that Flink calls as its Python.
WORKER = Path(__file__).with_name("worker.sh")

# The variable in which PyFlink looks for the port of a Java that runs already.
_PORT = "PYFLINK_GATEWAY_PORT"

# How long to wait for the end of a Java that does not answer, in seconds.
_END_LIMIT = 5.0

# How long an end in order may take, in seconds.
EXIT_LIMIT = 120.0


class Java:
    """The process, as long as `starting` or `running` lasts."""

    def __init__(self, process: "subprocess.Popen[bytes]", logs: Path, port_file: Path) -> None:
        self._process = process
        self._logs = logs
        self._port_file = port_file
        self._ended = threading.Event()
        self._fact = "ended"

    def check(self) -> None:
        """Raise RestartError if it has ended."""
        if self._process.poll() is not None:
            raise RestartError(
                f"Flink's Java {self._fact}; see {show(self._logs)}; "
                "the job goes on from its last checkpoint when it is run again."
            )

    def connect(self) -> None:
        """Return when PyFlink finds it. From now on it is killed when it no longer answers:
        whatever waits for it then fails. Raise JobError if it refuses to start."""
        port = self._port()
        os.environ[_PORT] = str(port)
        arguments = (port, self._ended, self._give_up)
        threading.Thread(target=watch.watch, args=arguments, name="watch", daemon=True).start()

    def _give_up(self) -> None:
        self._fact = f"did not answer {watch.LIMIT} times in a row, and was killed"
        self._process.kill()

    def settle(self) -> None:
        """Release the unused objects in Java now, and none later at random: Python's garbage
        collector, in any thread, would wait for a Java that does not answer."""
        gc.collect()
        gc.freeze()

    def _port(self) -> int:
        """The port at which it listens, as soon as it has written that to its file."""
        # The file is created before the four bytes of the port are written.
        while not self._port_file.exists() or self._port_file.stat().st_size < 4:
            if self._process.poll() is not None:
                self._check_start()
            time.sleep(0.05)
        port: int = struct.unpack("!I", self._port_file.read_bytes()[:4])[0]
        return port

    def check_end(self) -> None:
        """Raise RestartError if it ends within _END_LIMIT."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_LIMIT)
        self.check()

    def _check_start(self) -> None:
        # A signal ended it, not a wrong option.
        if self._process.returncode < 0:
            self.check()
        assert self._process.stderr
        lines = self._process.stderr.read().decode(errors="replace").splitlines()
        reason = one_line(" ".join(line for line in lines if "Picked up J" not in line))
        raise JobError(
            f"conf/flink.yaml: Flink's Java does not start: {reason[:300]}; "
            f"fix {JVM_OPTIONS}, or the problem that it reports."
        )

    def exit(self) -> None:
        """End it in order, after which it has made its archive of classes; raise TimeoutExpired if
        that takes longer than EXIT_LIMIT."""
        self._ended.set()
        # It ends without an answer.
        with suppress(Py4JError, ConnectionError):
            java_gateway.get_gateway().jvm.System.exit(0)
        self._process.wait(EXIT_LIMIT)

    def end(self) -> None:
        """Kill it, because it may not answer: this process would wait at its exit for messages of
        Java's workers."""
        self._ended.set()
        self._process.kill()
        with self._process:
            pass
        if java_gateway._gateway is not None:
            # Py4J would log each object that it cannot release. Not earlier: it waits for requests
            # of a Java that does not answer.
            java_gateway._gateway.shutdown()
            java_gateway._gateway = None
        gc.unfreeze()


@contextmanager
def running(data_dir: Path, name: str, options: Mapping[str, str]) -> Iterator[Java]:
    """As `starting`, and Java runs when the block begins."""
    with starting(data_dir, name, options) as process:
        process.connect()
        yield process


@contextmanager
def starting(data_dir: Path, name: str, options: Mapping[str, str]) -> Iterator[Java]:
    """Start Java with its options among Flink's, a log of this name, and a new folder for all that
    Flink and PyFlink unpack; `connect` waits until it runs. Java and the folder go with the block,
    and the folders of killed runs go now. Raise RestartError if the block fails because Java has
    ended."""
    logs = data_dir / "log"
    logs.mkdir(parents=True, exist_ok=True)
    _keep_log(logs, name)
    home = java.java_home()
    os.environ["JAVA_HOME"] = str(home)
    os.environ["FLINK_LOG_DIR"] = str(logs)
    os.environ["FLINK_IDENT_STRING"] = name
    with locks.own_folder(data_dir / "run" / "flink", name) as folder, _temporary(folder):
        port_file = folder / "gateway"
        launched = _launch(home, logs, folder, port_file, options.get(JVM_OPTIONS, ""))
        process = Java(launched, logs, port_file)
        try:
            yield process
        except MillraceError:
            raise
        except Exception:
            # PyFlink and Py4J have many errors for a Java that has ended.
            process.check_end()
            raise
        finally:
            os.environ.pop(_PORT, None)
            process.end()


def _launch(
    home: Path, logs: Path, folder: Path, port_file: Path, options: str
) -> "subprocess.Popen[bytes]":
    # Not in JVM_ARGS, in which a path cannot contain a blank.
    # https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html
    own = [os.environ.get("JDK_JAVA_OPTIONS", ""), "-XX:+DisplayVMOutputToStderr"]
    archived = class_data.options("flink", home)
    own += map(shlex.quote, [*java.keeps_files(folder, logs), *archived])
    level = os.environ.get("ROOT_LOG_LEVEL", "")
    environ = os.environ | {
        "FLINK_LIB_DIR": str(jars.FLINK_LIB),
        # PyFlink's script takes a name without a path: a path could contain a blank.
        "PATH": f"{WORKER.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        # The Python that the worker then runs.
        "JOB_PYTHON": sys.executable,
        "JDK_JAVA_OPTIONS": " ".join(own).strip(),
        # jobs/kafka/deleted_records.py reads messages of level INFO.
        "ROOT_LOG_LEVEL": level if level in ("DEBUG", "TRACE", "ALL") else "INFO",
        "JVM_ARGS": options,
        "TMPDIR": str(folder),
        "_PYFLINK_CONN_INFO_PATH": str(port_file),
    }
    arguments = ["-c", "org.apache.flink.client.python.PythonGatewayServer", "local"]
    process: subprocess.Popen[bytes] = launch_gateway_server_process(environ, arguments)
    return process


@contextmanager
def _temporary(folder: Path) -> Iterator[None]:
    """Create Python's temporary files, the workers' too, in this folder."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def log_file(logs: Path, name: str) -> Path:
    """The log of Flink's Java since its start, under the name that `running` was given."""
    files = logs.glob(f"flink-{name}-python-*.log")
    return max(files, key=lambda log: log.stat().st_mtime_ns, default=logs / f"flink-{name}.log")


def _keep_log(logs: Path, name: str) -> None:
    """Flink overwrites the log of the previous start, which may say why that ended."""
    for log in logs.glob(f"flink-{name}-python-*.log"):
        log.replace(log.with_suffix(".log.1"))
