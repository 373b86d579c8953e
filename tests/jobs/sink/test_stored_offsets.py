import numpy as np
import pyarrow as pa
import pytest

from jobs.sink.batch import Batch
from jobs.sink.stored_offsets import StoredOffsets
from lib.errors import SinkError


def rows(*pairs: tuple[int, int]) -> Batch:
    partitions, offsets = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return Batch(pa.table({}), partitions, offsets)


def test_rows_at_or_below_the_stored_offset_are_not_new() -> None:
    offsets = StoredOffsets(stored={0: 5, 2: 1})
    received = offsets.receive(rows((0, 4), (1, 0), (0, 5), (2, 1), (0, 6), (2, 9)))
    assert received.is_new.tolist() == [False, True, False, False, True, True]
    assert offsets.received == {0: 6, 1: 0, 2: 9}
    assert offsets.stored == {0: 5, 2: 1}


def test_gaps_are_allowed_and_a_batch_continues_the_last_one() -> None:
    offsets = StoredOffsets()
    assert offsets.receive(rows((0, 3), (0, 10))).is_new.all()
    assert offsets.receive(rows((0, 11))).is_new.all()


def test_an_empty_batch_changes_nothing() -> None:
    offsets = StoredOffsets()
    assert offsets.receive(rows()).is_new.tolist() == []
    assert offsets.received == {}


def test_dead_letters_above_the_stored_offset_are_not_new() -> None:
    offsets = StoredOffsets(stored={0: 5}, dead={0: np.array([7, 9])})
    received = offsets.receive(rows((0, 6), (0, 7), (1, 7), (0, 8), (0, 9)))
    assert received.is_new.tolist() == [True, False, True, True, False]


def test_all_rows_of_a_record_that_became_several_are_marked() -> None:
    offsets = StoredOffsets()
    received = offsets.receive(rows((0, 1), (1, 1), (0, 2), (0, 2), (0, 2), (1, 3), (0, 4)))
    assert received.is_repeated.tolist() == [False, False, True, True, True, False, False]
    # The same if a batch ends between the rows.
    assert offsets.receive(rows((0, 4), (1, 4))).is_repeated.tolist() == [True, False]


@pytest.mark.parametrize(
    ("first", "second", "fact"),
    [
        ([], [(0, 2), (1, 5), (0, 1)], "partition 0, offset 1: came after offset 2; if the topic"),
        ([(0, 5)], [(1, 9), (0, 4)], "partition 0, offset 4: came after offset 5; if the topic"),
    ],
)
def test_an_offset_that_falls_is_refused(first: list, second: list, fact: str) -> None:
    offsets = StoredOffsets()
    offsets.receive(rows(*first))
    with pytest.raises(SinkError) as error:
        offsets.receive(rows(*second))
    assert str(error.value).startswith(fact)


def test_storing_moves_the_offsets_of_its_partitions_only() -> None:
    offsets = StoredOffsets(stored={3: 30})
    offsets.store(rows((0, 1), (1, 8), (0, 2)))
    assert offsets.stored == {0: 2, 1: 8, 3: 30}
    offsets.store(rows())
    assert offsets.stored == {0: 2, 1: 8, 3: 30}
