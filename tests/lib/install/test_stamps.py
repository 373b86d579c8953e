from pathlib import Path

import pytest

from tests.lib.install.conftest import is_done, pretend_done


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("constraints.txt", "click==1\n"),
        ("lib/jgo.lock.toml", ""),
        ("lib/jars/kafka/a.jar", "cut"),
        ("lib/jars/kafka/stray.jar", "x"),
        (".venv/class-data/flink.jsa", "cut"),
    ],
)
def test_a_change_makes_it_run_again(project: Path, file: str, text: str) -> None:
    pretend_done(project)
    (project / file).write_text(text)
    assert not is_done(project)


@pytest.mark.parametrize(
    ("file", "old", "new", "run", "tools"),
    [
        ("pyproject.toml", "line-length = 100", "line-length = 99", True, True),
        ("pyproject.toml", '"pytest==', '"pytest>=', True, False),
        ("pyproject.toml", '"click==', '"click>=', False, False),
        ("constraints.txt", "\npytest==", "\npytest>=", True, False),
        ("constraints.txt", "\nclick==", "\nclick>=", False, False),
    ],
)
def test_only_what_is_installed_from_them_matters(
    project: Path, file: str, old: str, new: str, run: bool, tools: bool
) -> None:
    pretend_done(project)
    text = (project / file).read_text()
    assert old in text
    (project / file).write_text(text.replace(old, new))
    assert (is_done(project), is_done(project, tools=True)) == (run, tools)


def test_a_moved_project_is_set_up_again(project: Path) -> None:
    pretend_done(project)
    assert not is_done(project.rename(project.with_name("moved")))
