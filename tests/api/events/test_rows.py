"""Rows of a stream for a slow client."""

from api.events.rows import MOST_WAITING, Rows, fold


def test_a_slow_client_gets_the_newest_row_of_each_key() -> None:
    waiting: list[Rows] = []
    for number in range(MOST_WAITING):
        pair = [("A", b"a%d" % number), ("B", b"b%d" % number)]
        waiting = fold(waiting, Rows(pair, str(number)))
    assert sum(len(rows.lines) for rows in waiting) <= MOST_WAITING
    newest = fold([], Rows([("A", b"1")] * (MOST_WAITING + 1), "9"))
    assert newest[0].event(frozenset()) == b"event: newest\nid: 9\ndata: [1]\n\n"
    assert newest[0].event(frozenset({"B"})) == b""
    # Of ids that come apart from the rows the last one holds.
    apart = [Rows([], "7"), Rows([], "8"), Rows([("A", b"1")] * MOST_WAITING, "")]
    assert fold(apart, Rows([("A", b"2")], ""))[0].event(frozenset()) == (
        b"event: newest\nid: 8\ndata: [2]\n\n"
    )
