"""Bodies compressed by HTTP's encodings, in both directions."""

import gzip
import zlib
from collections.abc import Callable

import lz4.frame
import pytest
import zstandard

from lib.clickhouse_errors import Code
from local.clickhouse.formats.content_encoding import decompress
from tests.local.clickhouse.conftest import Embedded, code_of

ROW = b'{"a": 1}\n'


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstandard.compress),
        ("lz4", lz4.frame.compress),
        ("gzip", lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])),
    ],
)
def test_compressed_bodies(
    server: Embedded, table: str, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    params = {"query": "INSERT INTO rows FORMAT JSONEachRow"}
    body = pack(ROW * 1000)
    send = {"params": params, "headers": {"Content-Encoding": encoding}}
    assert server.http.post(server.url, content=body, **send).status_code == 200
    broken = server.http.post(server.url, content=body[:-12], **send)
    assert code_of(broken) == Code.CANNOT_DECOMPRESS
    assert server.sql("SELECT count() FROM rows") == "1000"


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("zstd", zstandard.compress), ("lz4", lz4.frame.compress)],
)
def test_each_chunk_may_be_a_frame(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    assert b"".join(decompress([pack(b"1\n"), b"", pack(b"2\n")], encoding)) == b"1\n2\n"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("rows", [1, 300_000])
def test_compressed_answers(server: Embedded, encoding: str, rows: int) -> None:
    response = server.http.post(
        server.url,
        content=f"SELECT number FROM numbers({rows})",
        params={"enable_http_compression": "1"},
        headers={"Accept-Encoding": encoding},
    )
    assert response.headers["content-encoding"] == encoding
    assert response.text.count("\n") == rows
