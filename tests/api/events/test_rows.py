"""Rows of a stream for a slow client."""

from api.events.rows import MAX_WAITING, RowBatch, merge


def test_a_slow_client_gets_the_newest_row_of_each_key() -> None:
    waiting: list[RowBatch] = []
    for number in range(MAX_WAITING):
        pair = [("A", b"a%d" % number), ("B", b"b%d" % number)]
        waiting = merge(waiting, RowBatch(pair, str(number)))
    assert sum(len(rows.lines) for rows in waiting) <= MAX_WAITING
    newest = merge([], RowBatch([("A", b"1")] * (MAX_WAITING + 1), "9"))
    assert newest[0].event(frozenset()) == b"event: newest\nid: 9\ndata: [1]\n\n"
    assert newest[0].event(frozenset({"B"})) == b""
    # Those of another event stay apart from them.
    mixed = [RowBatch([("A", b"1")] * MAX_WAITING, "7"), RowBatch([("A", b"2")], "8", "alert")]
    assert [each.event(frozenset()) for each in merge(mixed, RowBatch([("A", b"3")], "9"))] == [
        b"event: newest\ndata: [3]\n\n", b"event: alert\nid: 9\ndata: [2]\n\n",
    ]  # fmt: skip
    # Of ids without rows, the last one counts.
    apart = [RowBatch([], "7"), RowBatch([], "8"), RowBatch([("A", b"1")] * MAX_WAITING, "")]
    assert merge(apart, RowBatch([("A", b"2")], ""))[0].event(frozenset()) == (
        b"event: newest\nid: 8\ndata: [2]\n\n"
    )
