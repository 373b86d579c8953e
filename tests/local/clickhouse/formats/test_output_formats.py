"""Formats that are sent block by block."""

from local.clickhouse.formats.output_formats import streams


def test_only_formats_without_a_frame_are_streamed() -> None:
    assert streams("TabSeparated")
    assert streams("ArrowStream")
    assert not streams("JSON")
    assert not streams("CSVWithNames")
    assert not streams("Values")
