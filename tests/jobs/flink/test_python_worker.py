"""What Flink calls as its Python, called as Flink does."""

import os
import subprocess
import sys

from jobs.flink import gateway, python_worker


def call(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [gateway.WORKER, *arguments],
        env=os.environ | {"JOB_PYTHON": sys.executable} | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def imported(asked: subprocess.CompletedProcess[str]) -> set[str]:
    """The modules that Python says it imported, when it is to tell how long each took."""
    lines = [line for line in asked.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


def test_whatever_else_flink_asks_python_is_asked() -> None:
    asked = call("-c", "import sys; print(sys.executable, sys.argv[1:])", "a b")
    assert asked.stdout == f"{sys.executable} ['a b']\n"
    assert call("-c", "raise SystemExit(3)").returncode == 3


def test_a_worker_that_is_a_process_gets_all_of_beam() -> None:
    asked = call("-m", python_worker.BOOT, PYTHONPROFILEIMPORTTIME="1")
    assert asked.returncode == 1 and "No id provided." in asked.stdout
    assert {"apache_beam.coders", "pandas"} <= imported(asked)


def test_a_worker_that_is_a_thread_is_asked_for_without_beam_and_pandas() -> None:
    asked = call(
        "-m",
        python_worker.BOOT,
        "--id=1",
        "--provision_endpoint=localhost:1",
        PYTHON_LOOPBACK_SERVER_ADDRESS="localhost:1",
        PYTHONPROFILEIMPORTTIME="1",
    )
    # Where it asks, nobody listens.
    assert "Starting up Python harness in loopback mode." in asked.stdout
    assert asked.returncode == 1 and "StatusCode.UNAVAILABLE" in asked.stderr
    assert "grpc" in imported(asked)
    assert not {"apache_beam.coders", "pandas"} & imported(asked)
