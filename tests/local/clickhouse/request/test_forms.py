"""Forms: fields, external tables, and forms that are refused."""

import pytest

from lib.clickhouse_errors import Code
from local.clickhouse.errors import QueryError
from local.clickhouse.request.forms import External, described, externals, is_form, read_form

TYPE = "multipart/form-data; boundary=b"
BODY = (
    b'--b\r\nContent-Disposition: form-data; name="query"\r\n\r\nSELECT \xff\r\n'
    b'--b\r\nContent-Disposition: form-data; name="ext"; filename="x"\r\n\r\n1\n\xff\r\n--b--\r\n'
)


def test_only_a_multipart_body_is_a_form() -> None:
    assert is_form(TYPE) and is_form(TYPE.upper())
    assert not is_form("application/x-www-form-urlencoded") and not is_form("")


def test_fields_are_text_and_files_are_bytes() -> None:
    assert read_form(TYPE, BODY) == ({"query": "SELECT \udcff"}, {"ext": b"1\n\xff"})


@pytest.mark.parametrize("body", [BODY[:-10], b"", b"SELECT 1"])
def test_an_invalid_form_is_refused(body: bytes) -> None:
    with pytest.raises(QueryError, match="The form in the body is invalid") as error:
        read_form(TYPE, body)
    assert error.value.code == Code.BAD_ARGUMENTS


@pytest.mark.parametrize(
    ("params", "structure", "fmt"),
    [
        ({"ext_structure": "a UInt8"}, "a UInt8", "TabSeparated"),
        ({"ext_types": "UInt8,String", "ext_format": "CSV"}, "_1 UInt8, _2 String", "CSV"),
    ],
)
def test_parameters_describe_an_external_table(
    params: dict[str, str], structure: str, fmt: str
) -> None:
    assert externals({"ext": b"1"}, params) == [External("ext", structure, fmt, b"1")]
    assert params.keys() <= described({"ext": b"1"})


@pytest.mark.parametrize(
    ("params", "fact"),
    [
        ({}, "Neither ext_structure nor ext_types is given"),
        ({"ext_structure": "a Int8 Default 1"}, "External tables take no default expressions"),
        ({"ext_types": "Int8 ALIAS 1"}, "External tables take no default expressions"),
    ],
)
def test_an_external_table_is_refused(params: dict[str, str], fact: str) -> None:
    with pytest.raises(QueryError, match=fact):
        externals({"ext": b"1"}, params)
