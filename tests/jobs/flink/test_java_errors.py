import pytest

from jobs.flink import java_errors


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (
            "An error occurred while calling o1.addInsertSql.\n"
            ": org.apache.flink.table.api.ValidationException: SQL validation failed.\n\tat x\n"
            "Caused by: org.apache.calcite.runtime.CalciteContextException: middle\n\tat y\n"
            "Caused by: org.apache.calcite.sql.validate.SqlValidatorException: Column 'a'\n\tat z",
            "Column 'a'",
        ),
        (
            "org.apache.flink.table.api.ValidationException: Column types of query result and sink"
            " for 'a.b.inserted' do not match.\nCause: Incompatible types for sink column 'stored'"
            " at position 0.\n\nQuery schema: [stored: STRING]\nSink schema:  [stored: BIGINT]\n"
            "\tat x",
            "Column types of query result and sink for 'a.b.inserted' do not match: Incompatible "
            "types for sink column 'stored' at position 0: [stored: STRING] for [stored: BIGINT]",
        ),
        (
            "An error occurred while calling o1.x.\n: a.b.ValidationException: Unable to\n"
            "Caused by: org.apache.flink.x.ValidationException: Unsupported options found for"
            " 'datagen'.\n\nUnsupported options:\n\nrows\nx.y-z\n\nSupported options:\n\nfields\n"
            "\tat x",
            "Unsupported options found for 'datagen': rows, x.y-z",
        ),
        ("org.apache.flink.table.api.TableException: Cannot do it.\n\tat x", "Cannot do it"),
        ("no class at all", "no class at all"),
    ],
)
def test_a_java_failure_is_reported_by_its_innermost_cause(text: str, fact: str) -> None:
    assert java_errors.cause(Exception(text)) == fact


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "An error occurred while calling o112.compilePlan.\n"
            ": java.lang.NullPointerException: metadataHandlerProvider\n\tat x.y.Z.of(Z.java:122)",
            "NullPointerException",
        ),
        (
            "org.apache.flink.table.api.TableException: Cannot plan.\n\tat x\n"
            "Caused by: java.lang.ClassCastException: class a.B cannot be cast\n\tat y",
            "ClassCastException",
        ),
        ("An error occurred while calling o1.x.\n: java.lang.StackOverflowError\n\tat x",
         "StackOverflowError"),
        (
            "An error occurred while calling o1.x.\n: java.lang.IllegalStateException: outer\n"
            "Caused by: java.lang.NumberFormatException: For input string\n\tat x",
            "",
        ),
        ("org.apache.flink.table.api.ValidationException: a NullPointerException\n\tat x", ""),
    ],
)  # fmt: skip
def test_an_error_of_flinks_own_code_is_no_refusal(text: str, name: str) -> None:
    assert java_errors.internal(Exception(text)) == name


def test_the_option_that_cannot_be_read_is_named() -> None:
    error = Exception(
        "An error occurred while calling z:x.\n: java.lang.IllegalArgumentException: "
        "Could not parse value 'abc' for key 'a.b-c'.\n\tat x\n"
        "Caused by: java.lang.NumberFormatException: text: abc"
    )
    assert java_errors.option(error) == "a.b-c"
    assert java_errors.cause(error) == "Could not parse value 'abc' for key 'a.b-c'"
    assert java_errors.option(Exception("another")) == ""
