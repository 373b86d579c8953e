"""JSON schemas of columns."""

from api.http import schemas
from lib.clickhouse_types import parse


def test_a_schema_describes_the_values_of_a_column() -> None:
    for kind, right in {
        "SimpleAggregateFunction(sum, UInt64)": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"},
        "JSON": {"type": "object"},
        "Dynamic": {},
        "Variant(Bool, String)": {
            "anyOf": [{"type": "boolean"}, {"type": "string"}, {"type": "null"}],
        },
        "Nested(a Bool)": {
            "type": "array",
            "items": {
                "type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"],
            },
        },
    }.items():  # fmt: skip
        assert schemas.schema_of(parse(kind)) == right
