"""CPU and memory are those of the processes that have an entry in their environment."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import measure
from bench.measure import Meter, Reading
from lib.waiting import until

# Has a child use half a CPU-second, and waits for it.
WORK = """
import subprocess, sys
work = "import time\\nwhile time.process_time() < 0.5: pass"
subprocess.run([sys.executable, "-c", work])
print("done", flush=True)
input()
"""


@contextmanager
def working(name: str) -> Iterator[None]:
    """A process of a group that has done its work."""
    with subprocess.Popen(
        [sys.executable, "-c", WORK],
        env={**os.environ, "BENCH_STATE": name},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout and process.stdout.readline() == b"done\n"
        yield
        process.communicate(b"\n")


def test_a_group_has_its_processes_and_their_children_that_have_ended(tmp_path: Path) -> None:
    meter = Meter({f"BENCH_STATE={tmp_path}": measure.of_contender})
    with working(str(tmp_path)), working("other"):
        reading = meter.read()
    assert reading.cpu.keys() == {"python"} and 0.45 <= reading.cpu["python"] < 10
    assert meter.peaks()["python"] > 1
    assert meter.read().cpu == {}


def test_a_process_that_becomes_another_program_is_found_under_its_new_name(tmp_path: Path) -> None:
    meter = Meter({f"BENCH_STATE={tmp_path}": measure.of_contender})
    become = f"import os; input(); os.execlp('env', 'env', 'BENCH_STATE={tmp_path}', 'cat')"
    with subprocess.Popen([sys.executable, "-c", become], stdin=subprocess.PIPE) as process:
        assert meter.read().cpu == {} and process.stdin
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert until(lambda: meter.read().cpu.keys() == {"cat"}, 60, pause=0.01)


def test_what_is_used_between_two_readings_rises_evenly() -> None:
    readings = [Reading(0.0, {"java": 1.0}, {}), Reading(2.0, {"java": 3.0, "new": 1.0}, {})]
    assert measure.at(readings, 1.0).cpu == {"java": 2.0, "new": 0.5}
    assert measure.at(readings, 5.0).cpu == readings[-1].cpu
    assert measure.at(readings, -1.0).cpu == readings[0].cpu
    assert measure.between(*readings) == {"java": 2.0, "new": 1.0}
