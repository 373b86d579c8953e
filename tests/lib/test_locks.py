import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lib import locks
from lib.errors import SetupError

HOLD = (
    "import sys, time; from pathlib import Path; from lib import locks\n"
    "with locks.held(Path(sys.argv[1]), 'x', 'y'): print('held', flush=True); time.sleep(600)"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "run" / "job.pid"


def test_a_second_process_is_refused_with_the_holder(file: Path) -> None:
    assert locks.holder(file) is None
    with locks.held(file, "job x", "stop it."):
        assert locks.holder(file) == os.getpid()
        with pytest.raises(SetupError) as error, locks.held(file, "job x", "stop it."):
            pytest.fail("held twice")
    assert str(error.value) == f"job x runs already (process {os.getpid()}); stop it."
    assert locks.holder(file) is None


def test_an_exception_releases_the_lock(file: Path) -> None:
    with pytest.raises(ZeroDivisionError), locks.held(file, "x", "y"):
        raise ZeroDivisionError
    assert locks.holder(file) is None and file.read_text() == ""
    with locks.held(file, "x", "y"):
        pass


def test_the_lock_of_a_killed_process_is_free(file: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, file], stdout=subprocess.PIPE)
    try:
        assert process.stdout and process.stdout.readline() == b"held\n"
        assert locks.holder(file) == process.pid
        with pytest.raises(SetupError, match=f"process {process.pid}"):
            locks.held(file, "x", "y").__enter__()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout and process.stdout.close()
    assert locks.holder(file) is None
    with locks.held(file, "x", "y"):
        assert locks.holder(file) == os.getpid()


def test_asking_for_the_holder_does_not_keep_others_from_holding(file: Path) -> None:
    file.parent.mkdir()
    file.touch()
    end = threading.Event()

    def ask() -> None:
        while not end.is_set():
            locks.holder(file)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for _ in range(200):
            with locks.held(file, "x", "y"):
                pass
    finally:
        end.set()
        thread.join()


@pytest.mark.parametrize("left", ["", "dead"])
def test_asking_for_long_does_not_keep_others_from_holding(file: Path, left: str) -> None:
    """Also where the last holder was killed: its id stands in the file."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    file.parent.mkdir()
    file.write_text(left and str(process.pid))
    with file.open() as asker:
        fcntl.flock(asker, fcntl.LOCK_SH)
        timer = threading.Timer(0.4, fcntl.flock, [asker, fcntl.LOCK_UN])
        timer.start()
        with locks.held(file, "x", "y"):
            assert locks.holder(file) == os.getpid()
        timer.join()


KEEP = (
    "import sys, time; from pathlib import Path; from lib import locks\n"
    "with locks.own_folder(Path(sys.argv[1]), 'x') as own:\n"
    "    (own / 'left').mkdir(); print(own, flush=True); time.sleep(600)"
)


def test_a_folder_is_removed_by_its_owner_or_by_the_next(tmp_path: Path) -> None:
    parent = tmp_path / "run" / "a b"
    with (
        subprocess.Popen(
            [sys.executable, "-c", KEEP, str(parent)], stdout=subprocess.PIPE
        ) as other,
        locks.own_folder(parent, "y") as mine,
    ):
        assert other.stdout
        theirs = Path(other.stdout.readline().decode().strip())
        (mine / "file").touch()
        with locks.own_folder(parent, "z"):
            assert (mine / "file").exists() and (theirs / "left").exists(), "both have owners"
        other.kill()
        other.wait()
        assert (theirs / "left").exists()
        with locks.own_folder(parent, "z") as third:
            assert sorted(parent.iterdir()) == sorted([mine, third])
    assert list(parent.iterdir()) == []
