"""client_protocol_version: Native as clickhouse-go and clickhouse-connect ask for it over HTTP."""

import pytest

from tests.local.clickhouse.conftest import Embedded

INFO = bytes.fromhex("010002ffffffff00")


GO = 54460  # the version of clickhouse-go 2.51


def ask(server: Embedded, sql: str, version: int) -> bytes:
    params = {"default_format": "Native", "client_protocol_version": str(version)}
    response = server.post(sql, **params)
    assert response.status_code == 200, response.text
    return response.content


@pytest.mark.parametrize("tail", ["", " FORMAT Native", " FORMAT Native SETTINGS max_threads = 1;"])
@pytest.mark.parametrize(
    ("version", "answer"),
    [
        (0, b"\x01\x01\x02dt\x08DateTimeB_\xebc"),
        (54336, INFO + b"\x01\x01\x02dt\x08DateTimeB_\xebc"),
        (54405, INFO + b"\x01\x01\x02dt\x19DateTime('Asia/Shanghai')B_\xebc"),
        (GO, INFO + b"\x01\x01\x02dt\x19DateTime('Asia/Shanghai')\x00B_\xebc"),
    ],
)
def test_blocks_are_rewritten_for_the_version(
    server: Embedded, version: int, answer: bytes, tail: str
) -> None:
    sql = f"SELECT toDateTime(1676369730, 'Asia/Shanghai') AS dt{tail}"
    assert ask(server, sql, version) == answer


@pytest.mark.parametrize("params", [{}, {"wait_end_of_query": "1"}])
def test_every_block_of_a_long_answer_is_rewritten(
    server: Embedded, params: dict[str, str]
) -> None:
    sql = "SELECT number FROM numbers(300000)"
    plain = server.post(sql, default_format="Native", **params).content
    params = {"default_format": "Native", "client_protocol_version": "54405", **params}
    answer = server.post(sql, **params).content
    assert answer.count(INFO) == plain.count(b"\x06number\x06UInt64") > 1
    assert answer.replace(INFO, b"") == plain


def test_another_format_does_not_depend_on_the_version(server: Embedded) -> None:
    assert server.sql("SELECT 1", client_protocol_version=str(GO)) == "1"


def test_a_time_zone_is_written_whatever_the_name_of_the_column(server: Embedded) -> None:
    sql = "SELECT 1 AS `a\\tb\\nc`, {p:UInt8} AS p, now('Asia/Tokyo') AS d"
    params = {"default_format": "Native", "client_protocol_version": "54405", "param_p": "1"}
    assert b"\x16DateTime('Asia/Tokyo')" in server.post(sql, **params).content


def test_clickhouse_connect_learns_the_zone_of_a_column(server: Embedded) -> None:
    with server.client() as client:
        assert client.protocol_version
        sql = "SELECT toDateTime('2024-01-02 03:04:05', 'Asia/Tokyo')"
        assert str(client.query(sql).first_row[0]) == "2024-01-02 03:04:05+09:00"
