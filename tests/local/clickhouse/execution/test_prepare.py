"""Settings and external tables, set before the query runs."""

import pytest

from tests.local.clickhouse.conftest import Embedded


@pytest.mark.parametrize("more", [{}, {"readonly": "1"}, {"readonly": "2"}])
def test_settings_are_for_the_rows_of_external_tables_too(
    server: Embedded, more: dict[str, str]
) -> None:
    params = {"ext_structure": "a UInt8", "ext_format": "CSV", "query": "SELECT sum(a) FROM ext"}
    params |= {"input_format_allow_errors_num": "1"} | more
    response = server.http.post(server.url, params=params, files={"ext": ("x", b"1\nbad\n2\n")})
    assert response.text == "3\n"
