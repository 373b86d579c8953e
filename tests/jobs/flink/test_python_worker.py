"""The Python that Flink calls, called as Flink does."""

import os
import subprocess
import sys

from jobs.flink import gateway, python_worker

LOOPBACK = "PYTHON_LOOPBACK_SERVER_ADDRESS"


def call(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    # PyFlink sets the variable that makes a worker a thread when a test has run a job.
    inherited = {name: text for name, text in os.environ.items() if name != LOOPBACK}
    return subprocess.run(
        [gateway.WORKER, *arguments],
        env=inherited | {"JOB_PYTHON": sys.executable} | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def imported(ended: subprocess.CompletedProcess[str]) -> set[str]:
    """The modules that Python imported, from its report of the time that each took."""
    lines = [line for line in ended.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


def test_other_calls_run_python_itself() -> None:
    ended = call("-c", "import sys; print(sys.executable, sys.argv[1:])", "a b")
    assert ended.stdout == f"{sys.executable} ['a b']\n"
    assert call("-c", "raise SystemExit(3)").returncode == 3


def test_a_worker_that_is_a_process_imports_all_of_beam() -> None:
    ended = call("-m", python_worker.BOOT, PYTHONPROFILEIMPORTTIME="1")
    assert ended.returncode == 1 and "No id provided." in ended.stdout
    assert {"apache_beam.coders", "pandas"} <= imported(ended)


def test_a_worker_that_is_a_thread_is_requested_without_beam_and_pandas() -> None:
    ended = call(
        "-m",
        python_worker.BOOT,
        "--id=1",
        "--provision_endpoint=localhost:1",
        PYTHONPROFILEIMPORTTIME="1",
        **{LOOPBACK: "localhost:1"},
    )
    # Nothing listens at that address.
    assert "Starting up Python harness in loopback mode." in ended.stdout
    assert ended.returncode == 1 and "StatusCode.UNAVAILABLE" in ended.stderr
    assert "grpc" in imported(ended)
    assert not {"apache_beam.coders", "pandas"} & imported(ended)
