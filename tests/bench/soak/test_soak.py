import os
import subprocess
import sys
from pathlib import Path

from bench.soak import sample
from bench.soak.__main__ import series


def test_samples_become_a_list_for_each_name_without_a_value_where_there_was_none() -> None:
    samples = [
        {"seconds": 10, "memory_mb": {"api": 1.0}, "parts": {"ticks": 3}},
        {"seconds": 20, "memory_mb": {"api": 2.0, "job": 5.0}, "parts": {"ticks": 4}},
    ]
    assert series(samples) == {
        "seconds": [10, 20],
        "memory_mb": {"api": [1.0, 2.0], "job": [None, 5.0]},
        "parts": {"ticks": [3, 4]},
    }
    assert series([]) == {"seconds": []}


def test_a_process_is_found_by_the_data_folder_in_its_environment(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input()", "jobs run stocks"],
        env={**os.environ, "MILLRACE_DATA_DIR": str(tmp_path)},
        stdin=subprocess.PIPE,
    ) as process:
        assert [*sample.processes(tmp_path)] == [("job", Path(f"/proc/{process.pid}"))]
        process.communicate(b"\n")
    assert [*sample.processes(tmp_path)] == []


def test_the_size_of_each_folder_is_that_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "kafka" / "log").mkdir(parents=True)
    (tmp_path / "kafka" / "log" / "0").write_bytes(b"x" * 2_000_000)
    (tmp_path / "empty").mkdir()
    assert sample.disk(tmp_path).keys() == {"kafka"}
    assert 1.9 < sample.disk(tmp_path)["kafka"] < 2.2
