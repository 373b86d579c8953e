"""The folders of cases, as a user writes them."""

from pathlib import Path

import pytest

from jobs.sql_tests import cases
from lib.errors import SqlTestError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The only case."""
    case = tmp_path / "view" / "one"
    case.mkdir(parents=True)
    return case


def values(folder: Path, text: str) -> list[bytes | None]:
    (folder / "input.ndjson").write_bytes(text.encode())
    (case,) = cases.read(folder.parents[1], [])
    return [record.value for record in case.inputs[""]]


def test_each_line_is_a_record_as_it_is(folder: Path) -> None:
    text = '{"a": "\u2028"}\n\nno json\r\n{"@value": {"@x": 1}, "@key": "k"}\n{"a": "@b"}'
    assert values(folder, text) == [
        '{"a": "\u2028"}'.encode(),
        b"",
        b"no json\r",
        b'{"@x": 1}',
        b'{"a": "@b"}',
    ]


def test_a_case_may_have_no_records(folder: Path) -> None:
    assert values(folder, "") == []


@pytest.mark.parametrize("line", ['{"@vlaue": 1}', '{"@key": "A", "price": 1}'])
def test_a_field_beside_the_value_has_a_known_name(folder: Path, line: str) -> None:
    with pytest.raises(SqlTestError, match=r"input\.ndjson:1: (@vlaue|price) is no field beside"):
        values(folder, line)


def test_a_case_without_records_is_not_left_out(folder: Path) -> None:
    (folder / "input.json").write_text("{}\n")
    (folder.parent / "_shared").mkdir()
    with pytest.raises(SqlTestError, match=r"one: no input\.ndjson; "):
        cases.read(folder.parents[1], [])


def test_a_case_has_one_file_with_its_rows(folder: Path) -> None:
    for name in cases.EXPECTED:
        (folder / name).touch()
    with pytest.raises(SqlTestError, match=r"has expected\.csv and expected\.ndjson; "):
        values(folder, "")


def test_options_may_be_empty(folder: Path) -> None:
    (folder / cases.OPTIONS_FILE).write_text("# None.\n")
    assert values(folder, "1") == [b"1"]


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("KAFKA_TOPIC", "KAFKA_TOPIC is of the servers, "),
        ("TICKS_LATENES", "did you mean MILLRACE_TICKS__LATENESS"),
        ("TICKS_LATENESS", "Expected `float`"),
    ],
)
def test_a_wrong_setting_is_one_line(folder: Path, name: str, fact: str) -> None:
    (folder / cases.OPTIONS_FILE).write_text(f"settings: {{{name}: x}}\n")
    with pytest.raises(SqlTestError, match=fact):
        values(folder, "")


def test_a_setting_may_be_of_a_group_of_two_words(folder: Path) -> None:
    (folder / cases.OPTIONS_FILE).write_text("settings: {DEAD_LETTERS_MAX_PERCENT: 5}\n")
    (folder / "input.ndjson").touch()
    (case,) = cases.read(folder.parents[1], [])
    assert case.environ == {"MILLRACE_DEAD_LETTERS__MAX_PERCENT": "5"}


def test_a_case_may_be_named_by_its_path(folder: Path) -> None:
    (folder / "input.ndjson").touch()
    root = folder.parents[1]
    for name in ("view", "view/one", f"{root}/view", f"{root}/view/one/"):
        assert [case.title for case in cases.read(root, [name])] == ["view/one"]
