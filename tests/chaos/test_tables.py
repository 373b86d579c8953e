"""What `make chaos` has shown of the tables' settings."""

from pathlib import Path

import pytest

from tests.conftest import ROOT

TABLES = [
    file
    for file in sorted((ROOT / "sql" / "clickhouse").glob("*_table_*.sql"))
    if "min_rows_for_full_part_storage" in file.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_a_merge_of_packed_parts_on_a_full_disk_fails_and_loses_none(table: Path) -> None:
    """Without it the merged part is empty, and replaces those that it was made of."""
    assert "min_rows_to_fsync_after_merge = 1" in table.read_text(encoding="utf-8")
