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
    new = offsets.receive(rows((0, 4), (1, 0), (0, 5), (2, 1), (0, 6), (2, 9)))
    assert new.tolist() == [False, True, False, False, True, True]
    assert offsets.received == {0: 6, 1: 0, 2: 9}
    assert offsets.stored == {0: 5, 2: 1}


def test_gaps_are_allowed_and_a_batch_continues_the_last_one() -> None:
    offsets = StoredOffsets()
    assert offsets.receive(rows((0, 3), (0, 10))).all()
    assert offsets.receive(rows((0, 11))).all()


def test_an_empty_batch_changes_nothing() -> None:
    offsets = StoredOffsets()
    assert offsets.receive(rows()).tolist() == []
    assert offsets.received == {}


SEVERAL = "one record became several rows, which one offset cannot tell apart; "


@pytest.mark.parametrize(
    ("first", "second", "fact"),
    [
        ([], [(0, 1), (0, 1)], f"partition 0, offset 1: {SEVERAL}"),
        # The same where a batch ends between the two rows.
        ([(0, 5)], [(0, 5)], f"partition 0, offset 5: {SEVERAL}"),
        ([(0, 5), (1, 7)], [(0, 6), (1, 7), (1, 8)], f"partition 1, offset 7: {SEVERAL}"),
        ([], [(0, 2), (1, 5), (0, 1)], "partition 0, offset 1: came after offset 2; if the topic"),
        ([(0, 5)], [(1, 9), (0, 4)], "partition 0, offset 4: came after offset 5; if the topic"),
    ],
)
def test_an_offset_that_does_not_rise_is_refused(first: list, second: list, fact: str) -> None:
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
