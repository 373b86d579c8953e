"""The set-up, on a copy of the project's set-up files: what it decides, and how it fails."""

import ast
import fcntl
from pathlib import Path

import pytest

from lib.install.__main__ import wrong_python
from tests.lib.install.conftest import ROOT, calls, copy_to, is_done, pretend_done, python, set_up

# To make an environment takes long on a slow machine.
pytestmark = pytest.mark.timeout(400)


@pytest.mark.parametrize("arguments", [[], ["tools"]])
def test_a_second_run_does_nothing(project: Path, arguments: list[str]) -> None:
    pretend_done(project)
    assert set_up(project, *arguments) == (0, "", "")
    assert not (project / "var").exists()


@pytest.mark.parametrize(
    ("there", "arguments", "tools"),
    [
        ("s.PACKAGES", [], False),
        ("s.PACKAGES", ["tools"], True),
        ("s.PACKAGES, s.TOOLS", [], True),
    ],
)
def test_a_run_is_set_up_without_tools_unless_they_are_there(
    project: Path, there: str, arguments: list[str], tools: bool
) -> None:
    pretend_done(project, there)
    file = project / "pyproject.toml"
    file.write_text(file.read_text().replace('version = "', 'version = "1'))
    code, out, err = set_up(project, *arguments)
    assert (code, err) == (0, "") and "setup: done in " in out
    pip, maven = calls(project)
    assert " chdb==" in pip and (" pytest==" in pip) is tools
    assert maven == "-m lib.install.maven"
    assert is_done(project) and is_done(project, tools=True) is tools


def test_tools_are_added_to_what_a_run_needs(project: Path) -> None:
    pretend_done(project, "s.PACKAGES, s.JARS")
    assert set_up(project) == (0, "", "")
    assert set_up(project, "tools")[0] == 0
    assert " pytest==" in calls(project)[0]
    assert is_done(project, tools=True)


def test_tools_that_cannot_be_installed_leave_what_a_run_needs(project: Path) -> None:
    pretend_done(project, "s.PACKAGES, s.JARS")
    (project / ".venv/bin/python").write_text("#!/bin/sh\nexit 1\n")
    assert set_up(project, "tools")[0] == 2
    assert is_done(project) and not is_done(project, tools=True)
    assert set_up(project) == (0, "", "")


def test_a_misspelt_argument_is_refused(project: Path) -> None:
    assert set_up(project, "tool") == (1, "", "usage: python -m lib.install [tools]\n")


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, str, str]:
    """A set-up that found half an environment, and then no registry."""
    project = copy_to(tmp_path_factory.mktemp("failed"))
    (project / ".venv/lib/half").mkdir(parents=True)
    return project, *set_up(project)


def test_an_unavailable_registry_is_one_line(failed: tuple[Path, int, str, str]) -> None:
    _, code, out, err = failed
    assert code == 2
    assert err == (
        "setup: the package registry cannot be reached; check the network, and pip's index-url and "
        "proxy, then run `make setup` (var/log/setup.log has more).\n"
    )
    assert out.startswith("setup: making .venv")


def test_a_half_done_environment_is_made_again(failed: tuple[Path, int, str, str]) -> None:
    assert not (failed[0] / ".venv/lib/half").exists()


def test_a_failed_set_up_is_not_done(failed: tuple[Path, int, str, str]) -> None:
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


@pytest.mark.parametrize(
    "name",
    ["install/__main__", "install/packages", "install/place", "install/stamps", "errors"],
)
def test_an_old_python_can_parse_it(name: str) -> None:
    text = (ROOT / "lib" / f"{name}.py").read_text()
    tree = ast.parse(text, feature_version=(3, 6))
    # Before 3.9, and 3.10, `Iterator[None]` and `int | None` cannot be evaluated: they are quoted.
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    annotations = [node.returns for node in functions]
    annotations += [one.annotation for node in functions for one in node.args.args]
    assert not [a for a in annotations if isinstance(a, ast.Subscript | ast.BinOp)]


def test_an_unsupported_python_is_named() -> None:
    assert wrong_python("/usr/bin/python3", (3, 10, 1)) == (
        "/usr/bin/python3: is Python 3.10, and neither python3.12 nor python3.11 is on PATH; "
        "install Python 3.11 or 3.12, then run `make setup`."
    )
