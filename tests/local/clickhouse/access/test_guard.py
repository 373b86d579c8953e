"""Statements that the user `reader` may not run, and statements that it may."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lib.clickhouse_errors import Code
from tests.local.clickhouse.conftest import Embedded, code_of

WRITES = [
    "INSERT INTO guarded VALUES (1)",
    "INSERT INTO guarded SELECT 1",
    "INSERT INTO guarded FORMAT CSV\n1",
    "INSERT INTO FUNCTION file('{folder}/out.csv', 'CSV', 'a Int8') SELECT 1",
    "INSERT INTO FUNCTION null('a Int8') VALUES (1)",
    "CREATE TABLE more (a Int8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE more (a Int8)",
    "CREATE DATABASE more",
    "CREATE VIEW more AS SELECT 1",
    "CREATE FUNCTION more AS x -> x",
    "CREATE DICTIONARY more (a UInt64) PRIMARY KEY a SOURCE(FILE(path '{secret}' FORMAT 'CSV')) "
    "LAYOUT(FLAT()) LIFETIME(0)",
    "CREATE USER more",
    "DROP TABLE guarded",
    "TRUNCATE TABLE guarded",
    "ALTER TABLE guarded DELETE WHERE 1",
    "ALTER TABLE guarded ADD COLUMN b Int8",
    "DELETE FROM guarded WHERE 1",
    "UPDATE guarded SET a = 2 WHERE 1",
    "RENAME TABLE guarded TO more",
    "DETACH TABLE guarded",
    "ATTACH TABLE more (a Int8) ENGINE = File(CSV, '{secret}')",
    "OPTIMIZE TABLE guarded",
    "BACKUP TABLE guarded TO File('{folder}/backup')",
    "RESTORE TABLE guarded FROM File('{folder}/backup')",
    "GRANT ALL ON *.* TO default",
    "KILL QUERY WHERE 1",
    "SYSTEM FLUSH LOGS",
    "SYSTEM STOP MERGES",
    "SYSTEM SHUTDOWN",
    "BEGIN TRANSACTION",
    "SELECT 1; DROP TABLE guarded",
    "SELECT 1; SET readonly = 0; DROP TABLE guarded",
    "/* SELECT */ DROP TABLE guarded -- SELECT",
]
LIMITS = [
    "SET readonly = 0",
    "SET max_execution_time = 0",
    "SET ROLE DEFAULT",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 SETTINGS max_execution_time = 1000",
    "SELECT 1 SETTINGS max_result_rows = 0",
    "SELECT 1 SETTINGS additional_result_filter = 'file(''{secret}'') != '''''",
    "SELECT * FROM (SELECT 1 SETTINGS max_memory_usage = 0)",
    "EXPLAIN SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 SETTINGS readonly = 0 UNION ALL SELECT 2",
    "SELECT 1 UNION ALL SELECT 2 SETTINGS readonly = 0",
    "SELECT 1 UNION ALL (SELECT 2 SETTINGS readonly = 0)",
    "USE system",
]
FILES = [
    "SELECT * FROM file('{secret}')",
    "SELECT * FROM file('{secret}', 'CSV', 'a String')",
    "SELECT * FROM FILE('{secret}')",
    "SELECT * FROM fileCluster('default', '{secret}')",
    "SELECT * FROM '{secret}'",
    "SELECT * FROM `{secret}`",
    'SELECT * FROM default."{secret}"',
    "SELECT file('{secret}')",
    "SELECT `file`('{secret}')",
    "SELECT \"FILE\"('{secret}')",
    "SELECT/**/file/**/('{secret}')",
    "SELECT file\n(\t'{secret}')",
    "SELECT arrayMap(x -> file(x), ['{secret}'])",
    "SELECT * APPLY(file) FROM (SELECT '{secret}' AS a)",
    "SELECT * APPLY file FROM (SELECT '{secret}' AS a)",
    "SELECT * APPLY(`file`) FROM (SELECT '{secret}' AS a)",
    "SELECT * APPLY(`fi\\x6ce`) FROM (SELECT '{secret}' AS a)",
    "SELECT `fi\\x6ce`('{secret}')",
    "SELECT 1 AS a$x$, * APPLY(file) FROM (SELECT '{secret}' AS a) WHERE '$x$' != ''",
    "SELECT COLUMNS('a') APPLY(x -> file(x)) FROM (SELECT '{secret}' AS a)",
    "SELECT * REPLACE(file(a) AS a) FROM (SELECT '{secret}' AS a)",
    "SELECT (SELECT file('{secret}'))",
    "WITH (SELECT file('{secret}')) AS f SELECT f",
    "WITH f AS (SELECT file('{secret}') AS a) SELECT a FROM f",
    "SELECT 1 ORDER BY file('{secret}')",
    "SELECT 1 WHERE file('{secret}') != ''",
    "SELECT sum(1) OVER (PARTITION BY file('{secret}'))",
    "SELECT 1 LIMIT length(file('{secret}'))",
    "SELECT * FROM view(SELECT file('{secret}'))",
    "SELECT * FROM numbers(length(file('{secret}')))",
    "SELECT * FROM format(CSV, file('{secret}'))",
    "SELECT * FROM values('a String', file('{secret}'))",
    "SELECT 1 UNION ALL SELECT length(file('{secret}'))",
    "DESCRIBE file('{secret}')",
    "DESCRIBE TABLE file('{secret}')",
    "DESCRIBE default.`{secret}`",
    "DESCRIBE (SELECT * FROM file('{secret}'))",
    "EXISTS default.`{secret}`",
    "SHOW CREATE TABLE default.`{secret}`",
    "EXPLAIN SELECT * FROM file('{secret}')",
    "EXPLAIN QUERY TREE SELECT file('{secret}')",
    "EXPLAIN AST SELECT file('{secret}')",
    "EXPLAIN SYNTAX SELECT file('{secret}')",
    "EXPLAIN ESTIMATE SELECT * FROM file('{secret}')",
    "SELECT * FROM (EXPLAIN SELECT * FROM file('{secret}'))",
    "SELECT * FROM viewExplain('EXPLAIN', '', (SELECT * FROM file('{secret}')))",
    "SELECT * FROM eval('SELECT * FROM file(''{secret}'')')",
    "SELECT * FROM loop(file('{secret}'))",
    "SELECT * FROM loop(default.`{secret}`)",
    "SELECT * FROM filesystem('{folder}')",
    "SELECT * FROM sqlite('{secret}', 'x')",
    "SELECT * FROM executable('cat', 'TSV', 'a String')",
    "SELECT * FROM icebergLocal('{folder}')",
    "SELECT * FROM deltaLakeLocal('{folder}')",
    "SELECT * FROM python('os')",
    "SELECT * FROM Python(os)",
    "INSERT INTO guarded FROM INFILE '{secret}' FORMAT CSV",
]
OUTFILES = [
    "SELECT 1 INTO OUTFILE '{folder}/out'",
    "SELECT 1 into\toutfile '{folder}/out'",
    "SELECT 1 INTO/**/OUTFILE '{folder}/out'",
    "SELECT 1 INTO -- x\n OUTFILE '{folder}/out'",
    "SELECT 1 INTO OUTFILE '{folder}/out' AND STDOUT",
    "SELECT 1 INTO OUTFILE '{folder}/out' TRUNCATE FORMAT CSV SETTINGS max_threads = 2",
    "(SELECT 1) INTO OUTFILE '{folder}/out'",
    "FROM system.one SELECT 1 INTO OUTFILE '{folder}/out'",
    "SELECT 1 UNION ALL SELECT 2 INTO OUTFILE '{folder}/out'",
    "SHOW TABLES INTO OUTFILE '{folder}/out'",
    "SHOW PROCESSLIST INTO OUTFILE '{folder}/out'",
    "DESCRIBE guarded INTO OUTFILE '{folder}/out'",
    "EXISTS guarded INTO OUTFILE '{folder}/out'",
    "EXPLAIN SELECT 1 INTO OUTFILE '{folder}/out'",
    "CHECK TABLE guarded INTO OUTFILE '{folder}/out'",
    "SHOW CREATE TABLE guarded INTO OUTFILE '{folder}/out'",
]
NETWORK = [
    "SELECT * FROM url('{url}', 'CSV', 'a String')",
    "SELECT * FROM urlCluster('default', '{url}', 'CSV', 'a String')",
    "SELECT * FROM s3('{url}', 'CSV', 'a String')",
    "SELECT * FROM s3('{url}')",
    "SELECT * FROM gcs('{url}', 'CSV', 'a String')",
    "SELECT * FROM iceberg('{url}')",
    "SELECT * FROM deltaLake('{url}')",
    "SELECT * FROM hudi('{url}')",
    "SELECT * FROM hdfs('hdfs://{address}/x', 'CSV', 'a String')",
    "SELECT * FROM azureBlobStorage('{url}', 'c', 'b', 'a', 'k')",
    "SELECT * FROM remote('{address}', system.one)",
    "SELECT * FROM remoteSecure('{address}', system.one)",
    "SELECT * FROM cluster('default', system.one)",
    "SELECT * FROM mysql('{address}', 'd', 't', 'u', 'p')",
    "SELECT * FROM postgresql('{address}', 'd', 't', 'u', 'p')",
    "SELECT * FROM mongodb('{address}', 'd', 't', 'u', 'p', 'a String')",
    "SELECT * FROM redis('{address}', 'k', 'k String')",
    "SELECT * FROM odbc('DSN=x', 'd', 't')",
    "SELECT * FROM jdbc('x', 'd', 't')",
    "SELECT * FROM ytsaurus('{url}', 'x', 't', 'a String')",
    "SELECT hasColumnInTable('{address}', 'u', 'p', 'd', 't', 'c')",
    "DESCRIBE url('{url}', 'CSV')",
    "DESCRIBE s3('{url}')",
    "EXPLAIN TABLE OVERRIDE mysql('{address}', 'd', 't', 'u', 'p') COLUMNS (a Int8)",
    "SELECT aiClassify('a', ['b'])",
]
ATTACKS = WRITES + LIMITS + FILES + OUTFILES + NETWORK


@pytest.mark.parametrize(
    ("attack", "way"),
    [(attack, "body") for attack in ATTACKS]
    + [(attack, way) for attack in WRITES[:6] + OUTFILES[:3] for way in ("address", "session")],
)
def test_attacks_are_refused_and_have_no_effect(
    assert_refused: Callable[[str, str], None], attack: str, way: str
) -> None:
    assert_refused(attack, way)


@pytest.mark.parametrize(
    "name", ["max_threads", "readonly", "max_execution_time", "max_block_size"]
)
def test_settings_in_the_address_are_refused(server: Embedded, name: str) -> None:
    response = server.post("SELECT 1", reader=True, **{name: "7"})
    assert code_of(response) == Code.READONLY


@pytest.mark.parametrize(
    "params",
    [
        {
            "ext_structure": "a String DEFAULT file('{secret}'), b UInt8",
            "ext_format": "JSONEachRow",
        },
        {"ext_structure": "b UInt8) ENGINE = Memory AS SELECT * FROM file('{secret}') --"},
        {"ext_structure": "b UInt8') UNION ALL SELECT * FROM file('{secret}') --"},
        {"ext_types": "UInt8", "ext_format": "CSV SELECT 1"},
        {"ext_structure": "b UInt8 MATERIALIZED file('{secret}')", "ext_format": "JSONEachRow"},
    ],
)
def test_an_external_table_cannot_read_a_file(
    server: Embedded, folder: Path, params: dict[str, str]
) -> None:
    filled = {k: v.format(secret=folder / "secret.csv") for k, v in params.items()}
    response = server.http.post(
        server.url,
        params={"query": "SELECT * FROM ext", "user": "reader", **filled},
        files={"ext": ("x", b'{"b": 1}')},
    )
    assert "TOPSECRET" not in response.text


def test_a_parameter_cannot_name_a_file(server: Embedded, guarded: None, folder: Path) -> None:
    secret = str(folder / "secret.csv")
    for sql in ("SELECT * FROM {t:Identifier}", "DESCRIBE {t:Identifier}"):
        # A text that passed with one value is checked again with another.
        assert server.post(sql, reader=True, param_t="guarded").status_code == 200
        response = server.post(sql, reader=True, param_t=secret, database="default")
        assert response.status_code >= 400
        assert "TOPSECRET" not in response.text


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM guarded",
        "SELECT 1;",
        "SELECT 'INTO OUTFILE', 'file(x)' -- INTO OUTFILE",
        "WITH 1 AS x SELECT x",
        "(SELECT 1) UNION ALL (SELECT 2)",
        "SELECT * APPLY(sum) FROM guarded",
        "SELECT a, count() OVER () FROM guarded QUALIFY 1 SETTINGS max_threads = 2",
        "SELECT number FROM numbers(3) FORMAT JSON",
        "SHOW TABLES",
        "SHOW DATABASES",
        "SHOW CREATE TABLE guarded",
        "SHOW COLUMNS FROM guarded",
        "DESCRIBE TABLE guarded",
        "DESCRIBE (SELECT a FROM guarded)",
        "EXISTS guarded",
        "EXPLAIN SELECT * FROM guarded",
        "SELECT name, readonly FROM system.settings LIMIT 1",
        "SELECT count() FROM system.processes",
    ],
)
def test_reading_works(server: Embedded, guarded: None, sql: str) -> None:
    response = server.post(sql, reader=True)
    assert response.status_code == 200, response.text


def test_a_table_that_is_dropped_is_unknown_to_a_query_that_passed_before(
    server: Embedded, guarded: None
) -> None:
    server.post("CREATE TABLE passing (a Int8) ENGINE = Memory")
    for sql in ("SELECT a FROM passing", "DESCRIBE TABLE passing"):
        assert [server.post(sql, reader=True).status_code for _ in range(2)] == [200, 200]
    server.post("DROP TABLE passing SYNC")
    for sql in ("SELECT a FROM passing", "DESCRIBE TABLE passing"):
        assert server.post(sql, reader=True).status_code == 404
