"""compress=1 and decompress=1: ClickHouse's own compressed blocks, the JDBC driver's default."""

import struct
from pathlib import Path

import pytest

from lib.clickhouse_errors import Code
from local.clickhouse.errors import QueryError
from local.clickhouse.formats.compressed_blocks import Blocks, unpacked
from tests.local.clickhouse.conftest import Embedded, code_of

MIB = 1 << 20
METHODS = {"LZ4": 0x82, "LZ4HC": 0x82, "ZSTD": 0x90, "NONE": 0x02, "nosuch": 0x82}


def numbers(count: int) -> bytes:
    return struct.pack(f"<{count}q", *range(count))


def test_a_file_of_the_engine_is_read(server: Embedded) -> None:
    """The engine writes a column as compressed blocks, with the right checksums and sizes."""
    server.sql(
        "CREATE OR REPLACE TABLE blocks (a Int64) ENGINE = MergeTree ORDER BY a SETTINGS "
        "min_bytes_for_wide_part = 0, min_rows_for_wide_part = 0, "
        "min_bytes_for_full_part_storage = 0"
    )
    server.sql("INSERT INTO blocks SELECT number FROM numbers(100000)")
    folder = server.sql("SELECT path FROM system.parts WHERE table = 'blocks' AND active")
    packed = (Path(folder) / "a.bin").read_bytes()
    assert unpacked(packed, check=True) == numbers(100_000)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, 2 * MIB + 5])
def test_compressed_data_is_decompressed(method: str, size: int) -> None:
    data = (numbers(10_000) * 40)[:size]
    packed = Blocks({"network_compression_method": method}).add(data)
    assert unpacked(packed, check=True) == data
    if size:
        assert packed[16] == METHODS[method]
        assert struct.unpack_from("<I", packed, 21)[0] == min(size, MIB)


GOOD = Blocks({}).add(b"1\n" * 1000)
BROKEN = {
    "a wrong checksum": (b"\x00" + GOOD[1:], Code.CHECKSUM_DOESNT_MATCH),
    "a flipped bit": (GOOD[:-1] + bytes([GOOD[-1] ^ 1]), Code.CHECKSUM_DOESNT_MATCH),
    "no end": (GOOD[:-1], Code.CANNOT_READ_ALL_DATA),
    "no head": (GOOD + GOOD[:20], Code.CANNOT_READ_ALL_DATA),
    "not such blocks": (b"INSERT INTO rows FORMAT CSV\n" + b"1\n" * 1000, Code.CANNOT_DECOMPRESS),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_block_stores_nothing(server: Embedded, table: str, case: str) -> None:
    body, code = BROKEN[case]
    query = f"INSERT INTO {table} (a) FORMAT CSV"
    response = server.post(body, query=query, decompress="1")
    assert code_of(response) == code, response.text
    assert server.sql(f"SELECT count() FROM {table}") == "0"


@pytest.mark.parametrize(
    ("mark", "packed", "plain", "code"),
    [
        (0x83, 9, 0, Code.UNKNOWN_COMPRESSION_METHOD),
        (0x82, 8, 0, Code.CANNOT_DECOMPRESS),
        (0x82, 1 << 31, 0, Code.CANNOT_DECOMPRESS),
        (0x02, 9, 1 << 31, Code.CANNOT_DECOMPRESS),
    ],
)
def test_impossible_heads_are_refused(mark: int, packed: int, plain: int, code: int) -> None:
    body = bytes(16) + struct.pack("<BII", mark, packed, plain)
    with pytest.raises(QueryError) as refused:
        unpacked(body, check=False)
    assert refused.value.code == code


def test_a_frame_that_states_a_false_size_is_refused() -> None:
    frame = bytes.fromhex("28b52ffde0") + struct.pack("<Q", 1 << 60) + b"\x01\x00\x00"
    with pytest.raises(QueryError) as refused:
        unpacked(bytes(16) + struct.pack("<BII", 0x90, 9 + len(frame), 10) + frame, check=False)
    assert refused.value.code == Code.CANNOT_DECOMPRESS


@pytest.mark.parametrize("in_body", [True, False])
def test_blocks_are_stored(server: Embedded, table: str, in_body: bool) -> None:
    query, rows = f"INSERT INTO {table} (a) FORMAT CSV", b"1\n" * 1000
    body = Blocks({}).add(query.encode() + b"\n" + rows if in_body else rows)
    params = {"decompress": "1"} if in_body else {"decompress": "1", "query": query}
    assert server.sql(body, **params) == ""
    assert server.sql(f"SELECT count() FROM {table}") == "1000"


def test_a_client_may_omit_checksums(server: Embedded, table: str) -> None:
    unchecked = {"http_native_compression_disable_checksumming_on_decompress": "1"}
    body = bytes(16) + GOOD[16:]
    query = f"INSERT INTO {table} (a) FORMAT CSV"
    assert server.sql(body, query=query, decompress="1", **unchecked) == ""
    assert server.sql(f"SELECT count() FROM {table}") == "1000"


@pytest.mark.parametrize("method", ["LZ4", "ZSTD"])
@pytest.mark.parametrize("rows", [1, 300_000])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_an_answer_in_blocks(server: Embedded, method: str, rows: int, encoding: str) -> None:
    response = server.http.post(
        server.url,
        content=f"SELECT number::Int64 FROM numbers({rows}) FORMAT RowBinary",
        params={"compress": "1", "network_compression_method": method},
        headers={"Accept-Encoding": encoding},
    )
    assert response.headers.get("content-encoding", "identity") == encoding
    assert response.content[16] == METHODS[method]
    assert unpacked(response.content, check=True) == numbers(rows)


def test_an_empty_answer_has_no_block(server: Embedded) -> None:
    assert server.post("SELECT 1 WHERE 0", compress="1").content == b""


@pytest.mark.parametrize(
    "sql", ["SELECT nosuch", "SELECT throwIf(number = 4000000) FROM numbers(9e6)"]
)
def test_an_error_is_in_a_block_too(server: Embedded, sql: str) -> None:
    response = server.post(sql, compress="1", wait_end_of_query="1")
    assert response.status_code >= 400
    code = code_of(response)
    assert unpacked(response.content, check=True).startswith(f"Code: {code}. ".encode())


def test_an_error_of_the_request_itself_is_plain(server: Embedded) -> None:
    response = server.post("SELECT 1", compress="1", user="nobody")
    assert response.text.startswith("Code: 516. ")
