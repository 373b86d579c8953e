import pytest

from lib.sql_lexer import blanked, lexemes, tokens


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        (" \t\n", "space"),
        ("-- ; it's", "comment"),
        ("# it's", "comment"),
        ("#! it's", "comment"),
        ("/* /* ; '\n */", "comment"),
        ("'it''s \\' -- ;'", "string"),
        ("$tag$ '; $$ $tag$", "string"),
        ("$$ ; $$", "string"),
        ("`a `` \\` ;`", "name"),
        ('"a "" \\" ;"', "name"),
        ("a$x$", "word"),
        ("_1", "word"),
        ("12e3", "number"),
        (";", "symbol"),
        ("#", "symbol"),
        ("é", "symbol"),
    ],
)
def test_a_token_and_its_kind(sql: str, kind: str) -> None:
    assert [(token.kind, token.text) for token in tokens(sql)] == [(kind, sql)]


@pytest.mark.parametrize("sql", ["'a", "`a", '"a', "/* a", "$a$ a"])
def test_what_is_not_closed_is_a_symbol(sql: str) -> None:
    assert next(tokens(sql)).kind == "symbol"


def test_a_lexeme_knows_its_place_and_its_depth() -> None:
    found = [(t.text, t.start, t.end, t.depth) for t in lexemes("f /* ( */ ([a]) ;")]
    assert found == [
        ("f", 0, 1, 0), ("(", 10, 11, 0), ("[", 11, 12, 1), ("a", 12, 13, 2), ("]", 13, 14, 1),
        (")", 14, 15, 0), (";", 16, 17, 0),
    ]  # fmt: skip


def test_a_keyword_is_a_word_in_any_case_outside_brackets() -> None:
    assert [token.is_word("FROM") for token in lexemes("from (from) `from` 'from' fro")] == [
        True, False, False, False, False, False, False,
    ]  # fmt: skip


def test_bytes_keep_their_places_whatever_they_are() -> None:
    sql = b"'\xff\xc3\xa9' x"
    assert [(t.text, t.start) for t in lexemes(sql)] == [("'\ufffdé'", 0), ("x", 6)]


def test_blanks_leave_everything_in_its_place() -> None:
    assert blanked("a -- b\n'c\nd' `e`", "comment", "string") == "a     \n  \n   `e`"
