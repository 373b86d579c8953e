import pytest

from lib.pattern import Pattern


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("[A-Z", "is not a regular expression (unterminated"),
        ("[[A-Z]", "is not a regular expression (Possible nested set"),
        ("[A-Z]*", "matches the empty text"),
        ("A\nB", "has a control character"),
    ],
)
def test_a_pattern_that_is_malformed_or_means_something_else_in_java_is_refused(
    text: str, fact: str
) -> None:
    with pytest.raises(ValueError) as error:
        Pattern(text)
    assert str(error.value).startswith(repr(text)) and fact in str(error.value)


def test_a_pattern_matches_a_whole_text_with_ascii_classes() -> None:
    pattern = Pattern(r"\d|\w{2}")
    assert [text for text in ("1", "AB", "ABC", "A", "\u0663", "1\n") if pattern.matches(text)] == [
        "1",
        "AB",
    ]
