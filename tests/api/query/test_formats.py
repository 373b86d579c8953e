"""The choice of a format by Accept."""

import pytest

from api.problems import ProblemError
from api.query.formats import choose, prefers_events


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("", "json"), ("*/*", "json"), ("text/*", "csv"), ("TEXT/CSV", "csv"),
        ("application/json;charset=utf-8", "json"), ("text/html, */*;q=0.8", "json"),
        ("text/csv;q=0.5, application/x-ndjson", "ndjson"),
        ("application/*;q=0.2, text/csv;q=0.3", "csv"), ("text/csv;Q=1.000", "csv"),
        ("text/csv;q=inf, application/x-ndjson;q=0.001", "ndjson"),
    ],
)  # fmt: skip
def test_the_most_preferred_format_is_chosen(accept: str, name: str) -> None:
    assert (choose(None, accept).name, prefers_events(accept)) == (name, False)


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0", "text/csv; q=0.0", "a;b"])
def test_an_unsupported_or_unacceptable_type_is_406(accept: str) -> None:
    with pytest.raises(ProblemError) as caught:
        choose(None, accept)
    assert caught.value.status == 406


@pytest.mark.parametrize(
    "weight", ["inf", "1e999", "nan", "abc", "-1", "1.001", "2", "1_0", "", "²"]
)
def test_a_type_with_an_invalid_weight_is_unacceptable(weight: str) -> None:
    with pytest.raises(ProblemError) as caught:
        choose(None, f"application/json;q={weight}")
    assert caught.value.status == 406
    assert not prefers_events(f"text/event-stream;q={weight}")


@pytest.mark.parametrize("text", [";", "a", ",", " ", "a;q=0", "a;q=0 "])
def test_a_long_header_is_read_in_linear_time(text: str) -> None:
    accept = f"{text * 60_000}x, text/csv"
    assert (choose(None, accept).name, prefers_events(accept)) == ("csv", False)


def test_events_are_chosen_only_if_preferred() -> None:
    assert prefers_events("text/event-stream")
    assert prefers_events("text/event-stream, */*")
    assert prefers_events("application/json;q=0.5, text/event-stream")
    assert not prefers_events("application/json, text/event-stream;q=0.9")
    assert not prefers_events("image/png, text/event-stream")
