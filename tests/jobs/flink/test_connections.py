from concurrent.futures import ThreadPoolExecutor

import pytest

from jobs.flink.connections import OwnConnections


def test_a_thread_gets_the_connection_back_that_it_used_last() -> None:
    own = OwnConnections()
    own.append("released during a call")
    own.append("call")
    with ThreadPoolExecutor(1) as other:
        assert other.submit(len, own).result() == 0
        other.submit(own.append, "another's").result()
    assert own.pop() == "call"
    own.append("call")
    assert [own.pop(), own.pop()] == ["call", "released during a call"]
    with pytest.raises(IndexError):
        own.pop()
