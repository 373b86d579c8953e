"""Formats that are sent block by block, and the join of their blocks."""

import pyarrow as pa

from local.clickhouse.formats.output_formats import Joiner, streams


def test_only_formats_without_a_frame_are_streamed() -> None:
    assert streams("TabSeparated")
    assert streams("ArrowStream")
    assert not streams("JSON")
    assert not streams("CSVWithNames")
    assert not streams("Values")


def join(joiner: Joiner, *blocks: bytes) -> bytes:
    return b"".join(map(joiner.add, blocks)) + joiner.end()


def arrow(*values: int) -> bytes:
    sink = pa.BufferOutputStream()
    table = pa.table({"a": pa.array(values, pa.int64())})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def test_documents_of_an_arrow_stream_become_one() -> None:
    joined = join(Joiner("ArrowStream"), arrow(1, 2), b"", arrow(3), arrow())
    assert pa.ipc.open_stream(joined).read_all()["a"].to_pylist() == [1, 2, 3]
    assert joined.count(b"\xff\xff\xff\xff\x00\x00\x00\x00") == 1


def test_blocks_of_other_formats_are_joined_as_they_are_or_rewritten() -> None:
    assert join(Joiner("CSV"), b"1\n", b"2\n") == b"1\n2\n"
    assert join(Joiner("Native", bytes.upper), b"a", b"b") == b"AB"
    assert join(Joiner("ArrowStream")) == b""
