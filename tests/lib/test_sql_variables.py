import pytest

from lib import sql_variables
from lib.errors import SqlFileError
from lib.sql_lexer import tokens
from tests.lib.test_sqlfiles import file

VARIABLES = {"KAFKA_TOPIC": "ticks", "QUOTED": "it's', 'x' = 'y", "DOLLAR": "${KAFKA_TOPIC}\\1"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'${KAFKA_TOPIC}'", "'ticks'"),
        ("-- ${KAFKA_TOPIC}\n'${KAFKA_TOPIC}${KAFKA_TOPIC}'", "-- ticks\n'ticksticks'"),
        ("'${QUOTED}'", "'it''s'', ''x'' = ''y'"),
        ("'${DOLLAR}'", "'${KAFKA_TOPIC}\\1'"),
        ("$KAFKA_TOPIC {a:Int8} $", "$KAFKA_TOPIC {a:Int8} $"),
    ],
)
def test_variables_are_replaced_by_settings(text: str, expected: str) -> None:
    assert sql_variables.substitute(file(text), VARIABLES).text == expected


def test_a_value_is_escaped_for_its_dialect_but_not_in_a_comment() -> None:
    statement = file("-- /${P}/ isn't '${P}'\n'${P}'")
    variables = {"P": "\\d'\n?"}
    assert sql_variables.substitute(statement, variables).text == (
        "-- /\\d' ?/ isn't '\\d' ?'\n'\\d''\n?'"
    )
    in_clickhouse = sql_variables.substitute(statement, variables, sql_variables.CLICKHOUSE).text
    assert in_clickhouse.endswith("\n'\\\\d''\n?'")


def test_a_quote_in_a_value_stays_within_its_string() -> None:
    text = sql_variables.substitute(file("'topic' = '${QUOTED}'"), VARIABLES).text
    strings = [token.text for token in tokens(text) if token.kind == "string"]
    assert strings == ["'topic'", "'it''s'', ''x'' = ''y'"]


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (
            "a\n-- ${KAFKA_TOPICS}",
            "2: ${KAFKA_TOPICS} is not a setting; did you mean ${KAFKA_TOPIC}?",
        ),
        ("${}", "1: ${} is not a setting; known: ${KAFKA_TOPIC}, ${QUOTED}, ${DOLLAR}."),
        ("'${kafka topic}'", "1: ${kafka topic} is not a setting; known: "),
        ("a\n\n'${KAFKA_TOPIC\n'", "3: ${KAFKA_TOPIC does not end; add the }."),
        ("${", "1: ${ does not end; add the }."),
    ],
)
def test_an_unknown_or_open_setting_is_refused_with_its_line(text: str, fact: str) -> None:
    with pytest.raises(SqlFileError) as error:
        sql_variables.substitute(file(text), VARIABLES)
    assert str(error.value).startswith(f"sql/001_view_x.sql:{fact}")
