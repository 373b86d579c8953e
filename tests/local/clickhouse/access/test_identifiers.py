"""Names of files and of unsafe functions, used as such and as values."""

from collections.abc import Callable

import pytest

from tests.local.clickhouse.conftest import Embedded

ATTACKS = [
    "SELECT 1 IN default.`{secret}`",
    "SELECT arrayMap(file, ['{secret}'])",
    "SELECT arrayMap(`file`, ['{secret}'])",
    "SELECT ('TOPSECRET', 2) IN default.`{secret}`",
    "SELECT ('TOPSECRET', 2) NOT IN (default.`{secret}`)",
    "SELECT ('TOPSECRET', 2) GLOBAL IN default.`{secret}`",
    "SELECT globalNotNullIn(('TOPSECRET', 2), default.`{secret}`)",
    "SELECT arrayFilter(x -> (x, 2) IN default.`{secret}`, ['TOPSECRET'])",
    "SELECT `a\n  Function plus (children 2)\n   ExpressionList (children 2)`, "
    "('TOPSECRET', 2) IN default.`{secret}`",
    "SELECT `a\\nb`, default.`{secret}` FROM guarded",
    "SELECT 1 AS `{secret}`, (SELECT ('TOPSECRET', 2) IN default.`{secret}`)",
    "SELECT joinGet(default.`{secret}`, 'a', 1)",
    "SELECT arrayFold(file, ['{secret}'], '')",
    "SELECT mapApply(file, map('{secret}', 1))",
    "SELECT arrayMap((file), ['{secret}'])",
    "SELECT 1 AS file, arrayMap(file, ['{secret}'])",
    "SELECT arrayMap(hasColumnInTable, ['{secret}'])",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_name_of_a_file_or_a_function_is_refused(
    assert_refused: Callable[[str, str], None], attack: str
) -> None:
    assert_refused(attack, "body")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS file, 2 AS url",
        "SELECT file FROM (SELECT a AS file FROM guarded) WHERE file > 1 ORDER BY file",
        "SELECT toString(file) AS text, sum(file + 1) AS s FROM (SELECT a AS file FROM guarded)"
        " GROUP BY file HAVING sumIf(file, file > 0) > 0",
        "SELECT t.file AS f, file IN (1, 42), count(file) OVER (PARTITION BY file)"
        " FROM (SELECT a AS file FROM guarded) AS t",
        "SELECT arrayMap(x -> x + file[1], [1]), arrayMap(x -> x, file) FROM (SELECT [1] AS file)",
        "SELECT `high/low`, `high/low` / 2 AS `a/b`, toString(`high/low`) AS text"
        " FROM (SELECT a AS `high/low` FROM guarded) WHERE `high/low` IN (42) ORDER BY `high/low`",
        "SELECT 1 AS `a\n\nb`",
        "SELECT * FROM (SELECT a AS `file` FROM guarded) AS t INNER JOIN"
        " (SELECT a AS `file` FROM guarded) AS u USING (`file`)",
    ],
)
def test_a_name_that_is_a_value_is_read(server: Embedded, guarded: None, sql: str) -> None:
    response = server.post(sql, reader=True)
    assert response.status_code == 200, response.text
