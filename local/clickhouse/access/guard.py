"""The guard of the read-only user: refuses statements that chDB's readonly=1 allows.

Seen on chDB 4.4.0 with readonly=1: INTO OUTFILE writes, the function file() reads any file,
DESCRIBE of a table function reads files and the network, SYSTEM and KILL run, and one text may hold
several statements. So the engine's own parser classifies the text, and each function in its tree is
looked up here. The tree leaves out the function of APPLY: only then the text itself is searched for
forbidden names.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from lib.clickhouse_errors import Code
from lib.quoting import quote_string
from local.clickhouse.access import identifiers
from local.clickhouse.access.identifiers import Functions
from local.clickhouse.engine.handle import Handle, Totals
from local.clickhouse.errors import readonly, refusal

# Every other table function reads files, the network, another process or the program's memory.
_SAFE_TABLE_FUNCTIONS = {
    "numbers", "numbers_mt", "zeros", "zeros_mt", "primes", "values", "null", "generaterandom",
    "generateseries", "generate_series", "merge", "view", "format",
}  # fmt: skip
# Ordinary functions that reach out of the engine, beside those that call a language model.
_UNSAFE_FUNCTIONS = {
    "file", "hascolumnintable", "catboostevaluate", "showcertificate", "generateserialid",
}  # fmt: skip
# Statements beside SELECT and EXPLAIN that name no function and read only metadata.
_SAFE_KINDS = {"SelectWithUnionQuery", "SelectIntersectExceptQuery", "SelectQuery", "Explain"} | {
    "ShowTables", "ShowColumns", "ShowIndexes", "ShowFunctions", "ShowSetting", "ShowEngineQuery",
    "ShowEnginesQuery", "ShowDatabases", "ShowProcesslistQuery",
}  # fmt: skip
_NAMING_KINDS = {"DescribeQuery", "ExistsTableQuery", "ShowCreateTableQuery", "ExistsViewQuery"}


# How many texts that passed are remembered, so that an API which sends the same query many times
# does not wait for the parser: about 3 ms each time.
_MAX_PASSED = 1_000


@dataclass(frozen=True, slots=True)
class Unsafe:
    """Names, in lower case, that a reader may not use; and the digests of texts that passed."""

    functions: frozenset[str]
    anywhere: frozenset[str]
    known: Functions
    passed: set[bytes] = field(default_factory=set)


def unsafe(handle: Handle) -> Unsafe:
    """The engine's unsafe functions. A table function is unsafe if it is called; an ordinary one
    also if it is only named, as in arrayMap(file, x)."""
    tables = handle.ask("SELECT lower(name) FROM system.table_functions").split()
    models = handle.ask("SELECT lower(name) FROM system.functions WHERE match(name, '^ai[A-Z]')")
    anywhere = _UNSAFE_FUNCTIONS.union(models.split())
    called = frozenset({*tables} - _SAFE_TABLE_FUNCTIONS | anywhere)
    return Unsafe(called, frozenset(anywhere), identifiers.functions(handle))


def check(handle: Handle, sql: bytes, params: Mapping[str, str], names: Unsafe) -> None:
    """Raise QueryError unless the text is one statement that only reads the engine's own tables."""
    digest = blake2b(repr((sql, sorted(params.items()))).encode(), digest_size=32).digest()
    if digest in names.passed:
        return
    kind, count = handle.classify(sql)
    if count > 1:
        raise multi_statements()
    if count == 1 and kind != "READ_ONLY":
        raise readonly()
    # The same text with the same parameters has the same tree; the set of tables may change.
    if _check_tree(handle, sql, params, names) not in _NAMING_KINDS:
        if len(names.passed) >= _MAX_PASSED:
            names.passed.clear()
        names.passed.add(digest)


def multi_statements() -> Exception:
    """A server's error for a second statement in one text."""
    return refusal(Code.SYNTAX_ERROR, "Syntax error (Multi-statements are not allowed)")


def _check_tree(handle: Handle, sql: bytes, params: Mapping[str, str], names: Unsafe) -> str:
    """The kind of the statement; raise QueryError unless it may run."""
    lines = handle.ask(b"EXPLAIN AST\n" + sql, params).removesuffix("\n").split("\n")
    _check_settings(lines)
    nodes = [line.split() or [""] for line in lines]
    kind = nodes[0][0]
    if kind in _NAMING_KINDS:
        _check_names(handle, nodes)
    elif kind not in _SAFE_KINDS:
        raise readonly()
    for node in nodes:
        _check_call(node, names)
    doubtful = [number for number, line in enumerate(lines) if _is_doubtful(line, names)]
    if doubtful and not _has_one_line_per_node(handle, sql):
        raise readonly("A line break in a name or string beside a name that may be a file's.")
    for number in doubtful:
        if not identifiers.is_value(lines, number, names.known):
            raise readonly(f"{lines[number].strip()} is not allowed in readonly mode.")
    if any(node[0] == "ColumnsApplyTransformer" for node in nodes):
        _check_apply(sql, names)
    return kind


def _check_settings(lines: list[str]) -> None:
    """The engine checks the SETTINGS of a plain SELECT against readonly, but not all others."""
    settings = [line for line in lines if line.strip() == "Set"]
    plain = sum(line.startswith("  SelectQuery") for line in lines) == 1
    if settings and not (plain and settings == ["   Set"]):
        raise readonly("SETTINGS are allowed only after a plain SELECT in readonly mode.")


def _check_call(node: list[str], names: Unsafe) -> None:
    if node[0] == "Function" and len(node) > 1 and node[1].lower() in names.functions:
        raise readonly(f"{node[1]} is not allowed in readonly mode.")


def _is_doubtful(line: str, names: Unsafe) -> bool:
    """Whether the line is an identifier that may name a file or an unsafe function."""
    kind, _, rest = line.lstrip(" ").partition(" ")
    name = rest.partition(" (alias ")[0]
    # The engine's default database takes a name with a slash for a file.
    if kind == "TableIdentifier":
        return "/" in name
    return kind == "Identifier" and ("/" in name or name.lower() in names.anywhere)


def _has_one_line_per_node(handle: Handle, sql: bytes) -> bool:
    """Whether each line of the tree is a node: a name with a line break would look like several.

    The engine formats the text, with escapes for line breaks; the value of an Identifier parameter
    is not in its output.
    """
    format_query = f"SELECT formatQuerySingleLine({quote_string(sql.decode(errors='replace'))})"
    text = handle.run(format_query, "RawBLOB", {}, Totals()).decode(errors="replace")
    return "identifier" not in text.lower() and "\\n" not in re.findall(r"\\.", text)


def _check_apply(sql: bytes, names: Unsafe) -> None:
    """The tree does not show the function of `* APPLY f`, so the text must not hold the name of an
    unsafe one, nor a backslash, which could spell it differently inside a quoted name."""
    text = sql.decode(errors="replace").lower()
    for part in ("\\", *names.anywhere):
        if part in text:
            raise readonly(f"APPLY in a text with {part} is not allowed in readonly mode.")


def _check_names(handle: Handle, nodes: list[list[str]]) -> None:
    """DESCRIBE, EXISTS and SHOW CREATE may name only tables that exist: others can be files."""
    if nodes[0][0] == "DescribeQuery":
        tables = [node[1] for node in nodes if node[0] == "TableIdentifier"]
        if any(node[0] == "Subquery" for node in nodes):
            return
    else:
        tables = [".".join(node[1] for node in nodes if node[0] == "Identifier")]
    for table in tables:
        _check_table(handle, table)


def _check_table(handle: Handle, name: str) -> None:
    count = handle.ask(
        "SELECT count() FROM system.tables WHERE "
        f"concat(database, '.', name) = {quote_string(name)} "
        f"OR (database = currentDatabase() AND name = {quote_string(name)})"
    )
    if count.strip() == "0":
        raise refusal(Code.UNKNOWN_TABLE, f"Table {name} does not exist.")
