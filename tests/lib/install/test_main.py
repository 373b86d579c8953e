"""The set-up, on a copy of the project's set-up files: what it decides, and how it fails."""

import ast
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lib.install import packages
from lib.install.__main__ import wrong_python

ROOT = Path(__file__).resolve().parents[3]
COPIED = ["pyproject.toml", "constraints.txt", "lib/__init__.py", "lib/install"]
COPIED += ["lib/errors.py", "lib/jgo.toml", "lib/jgo.lock.toml"]
# A port of this machine on which nothing listens.
NO_REGISTRY = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}

# To make an environment takes long on a slow machine.
pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose set-up has not run."""
    return copy_to(tmp_path)


def copy_to(folder: Path) -> Path:
    """Copy what a set-up reads; the path has a space, as users' paths do."""
    copy = folder / "a project"
    for name in COPIED:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name)
        else:
            shutil.copy(ROOT / name, copy / name)
    return copy


def python(project: Path, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=project,
        env={**os.environ, **NO_REGISTRY, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def set_up(project: Path, **environment: str) -> tuple[int, str, str]:
    with python(project, "-m", "lib.install", **environment) as process:
        out, err = process.communicate(timeout=360)
        return process.returncode, out, err


def pretend_done(project: Path) -> None:
    """Leave what a finished set-up leaves, as far as the next one looks at it."""
    for name in [".venv/bin/python", "lib/jars/kafka/a.jar"]:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("x")
    code = "from lib.install import __main__ as b; b.STAMP.write_text(b.setup_stamp())"
    with python(project, "-c", code) as process:
        assert process.wait() == 0


def is_done(project: Path) -> bool:
    with python(
        project, "-c", "from lib.install import __main__ as b; print(b.is_done())"
    ) as process:
        return process.communicate()[0] == "True\n"


def test_a_second_run_does_nothing(project: Path) -> None:
    pretend_done(project)
    assert set_up(project) == (0, "", "")
    assert not (project / "var").exists()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("constraints.txt", "click==1\n"),
        ("lib/jgo.lock.toml", ""),
        ("lib/jars/kafka/a.jar", "cut"),
        ("lib/jars/kafka/stray.jar", "x"),
    ],
)
def test_a_change_makes_it_run_again(project: Path, file: str, text: str) -> None:
    pretend_done(project)
    (project / file).write_text(text)
    assert not is_done(project)


def test_only_the_packages_in_pyproject_matter(project: Path) -> None:
    pretend_done(project)
    file = project / "pyproject.toml"
    file.write_text(file.read_text().replace("line-length = 100", "line-length = 99"))
    assert is_done(project)
    file.write_text(file.read_text().replace("click==", "click>="))
    assert not is_done(project)


def test_a_moved_project_is_set_up_again(project: Path) -> None:
    pretend_done(project)
    assert not is_done(project.rename(project.with_name("moved")))


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str, str]:
    """A set-up that found half an environment, and then no registry."""
    project = copy_to(tmp_path_factory.mktemp("failed"))
    (project / ".venv/lib/half").mkdir(parents=True)
    return project, *set_up(project)


def test_a_registry_that_is_away_is_one_line(failed: tuple[Path, int, str, str]) -> None:
    _, code, out, err = failed
    assert code == 2
    assert err == (
        "setup: the package registry cannot be reached; check the network, and pip's index-url and "
        "proxy, then run `make setup` (var/log/setup.log has more).\n"
    )
    assert out.startswith("setup: making .venv")


def test_a_half_done_environment_is_made_anew(failed: tuple[Path, int, str, str]) -> None:
    assert not (failed[0] / ".venv/lib/half").exists()


def test_what_failed_is_not_taken_for_done(failed: tuple[Path, int, str, str]) -> None:
    assert not is_done(failed[0])
    assert not (failed[0] / ".venv/packages.stamp").exists()


def test_a_second_set_up_waits_for_the_first(project: Path) -> None:
    lock = project / "var/log/setup.lock"
    lock.parent.mkdir(parents=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with python(project, "-m", "lib.install") as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "setup: waiting for another set-up to end.\n"
            pretend_done(project)
            fcntl.flock(held, fcntl.LOCK_UN)
            assert process.communicate(timeout=150) == ("", "")
            assert process.returncode == 0


@pytest.mark.parametrize("name", ["install/__main__", "install/packages", "errors"])
def test_an_old_python_can_read_it(name: str) -> None:
    text = (ROOT / "lib" / f"{name}.py").read_text()
    tree = ast.parse(text, feature_version=(3, 6))
    # Before 3.9, and 3.10, `Iterator[None]` and `int | None` cannot be evaluated: they are quoted.
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    annotations = [node.returns for node in functions]
    annotations += [one.annotation for node in functions for one in node.args.args]
    assert not [a for a in annotations if isinstance(a, ast.Subscript | ast.BinOp)]


def test_a_wrong_python_is_named() -> None:
    assert wrong_python("/usr/bin/python3", (3, 10, 1)) == (
        "/usr/bin/python3: is Python 3.10, and neither python3.12 nor python3.11 is on PATH; "
        "install Python 3.11 or 3.12, then run `make setup`."
    )


def test_a_missing_venv_module_is_named() -> None:
    assert "apt install python3.11-venv" in packages.no_module("python3", "ensurepip", (3, 11))


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("OSError: [Errno 28] No space left on device", "setup: a disk is full; free 2.5 GB, "),
        ("WARNING: Retrying after connection broken by X", "setup: the package registry cannot"),
        ("SSLError: CERTIFICATE_VERIFY_FAILED", "setup: the package registry's certificate"),
        ("a\nERROR: No matching distribution\n\nhint: b", "setup: ERROR: No matching distribution"),
        ("Killed\n", "setup: Killed; see var/log/setup.log"),
        ("", "setup: no output; see var/log/setup.log"),
    ],
)
def test_a_failure_is_one_line(log: str, line: str) -> None:
    assert packages.explain(log).startswith(line)


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        ("", ""),
        ("Collecting a==1 (from x)\n  Downloading a\nCollecting b[c]\n", "downloading packages, 2"),
        ("Collecting a\nBuilding wheels for collected packages: a\n", "building packages"),
        ("Collecting a\nInstalling collected packages: a\n", "installing packages, 5 of 1"),
    ],
)
def test_progress_is_read_from_what_pip_wrote(log: str, shown: str) -> None:
    assert packages.progress(log, 5).startswith(shown)


def test_each_required_package_is_pinned_to_the_same_version() -> None:
    pinned = {line.lower() for line in (ROOT / "constraints.txt").read_text().splitlines()}
    required = {
        name.replace("[cli]", "").replace("[standard]", "").lower()
        for name in packages.requirements()
    }
    assert required <= pinned
