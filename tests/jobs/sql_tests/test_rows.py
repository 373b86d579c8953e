"""Rows as text, and their difference."""

from pathlib import Path

import pytest

from jobs.sql_tests import rows
from lib.errors import SqlTestError

BREAKS = "a\u2028b\rc\nd"


@pytest.mark.parametrize("suffix", [".csv", ".ndjson"])
def test_rows_that_are_written_are_read_as_the_same(tmp_path: Path, suffix: str) -> None:
    found = [{"a": BREAKS, "b": None}, {"a": "", "b": [1, {"x": 1.5}]}]
    came = rows.written(["a", "b"], found, suffix)
    file = tmp_path / f"expected{suffix}"
    file.write_bytes("".join(f"{line}\n" for line in came).encode())
    assert rows.read(file) == (["a", "b"], came)


def test_the_fields_of_an_object_may_have_any_order(tmp_path: Path) -> None:
    file = tmp_path / "expected.ndjson"
    file.write_text('{"a": 1, "b": 2}\n\n{"b": 4, "a": 3}\n')
    found = [{"b": 2, "a": 1}, {"b": 4, "a": 3}]
    columns, expected = rows.read(file)
    assert rows.difference(expected, rows.written(columns, found, ".ndjson")) == []


@pytest.mark.parametrize("text", ['{"a": 1}\n{"b": 1}\n', "1\n", "{\n", '{"a": 1}\n[1]\n'])
def test_what_are_no_rows_is_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "expected.ndjson"
    file.write_text(text)
    with pytest.raises(SqlTestError, match=r"expected\.ndjson: .+; fix it\.$"):
        rows.read(file)


def test_an_order_counts_if_it_is_one() -> None:
    assert rows.difference(["h", "b", "a"], ["h", "a", "b"]) == []
    assert rows.difference(["h", "b", "a"], ["h", "a", "b"], in_order=True) == [
        "- b  (another order)",
        "+ a  (another order)",
    ]
    assert rows.difference(["h", "a"], ["h", "a"], in_order=True) == []
    assert rows.difference(["h", "a"], ["h", "a", "a"], in_order=True) == ["+ a"]
