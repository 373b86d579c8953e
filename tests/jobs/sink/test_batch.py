import numpy as np
import pyarrow as pa

from jobs.sink.batch import Batch


def tracked() -> Batch:
    columns = {
        "n": pa.array([1, 2, 3, 4]),
        "kafka_partition": pa.chunked_array([[3, 0], [3, 0]], pa.int32()),
        "kafka_offset": pa.array([7, 1, 9, 0]),
    }
    return Batch.of(pa.table(columns))


def test_a_batch_knows_the_first_and_last_offset_of_each_partition() -> None:
    assert tracked().ranges() == {0: (0, 1), 3: (7, 9)}


def test_a_filtered_batch_keeps_rows_and_offsets_together() -> None:
    batch = tracked().filter(np.array([True, False, False, True]))
    assert batch.table["n"].to_pylist() == [1, 4]
    assert (batch.partitions.tolist(), batch.offsets.tolist()) == ([3, 0], [7, 0])


def test_a_batch_of_which_all_rows_are_kept_is_not_copied() -> None:
    batch = tracked()
    assert batch.filter(np.ones(4, dtype=np.bool_)) is batch


def test_rows_that_are_not_tracked_have_no_offsets() -> None:
    batch = Batch.of(pa.table({"n": pa.array([1, 2])}))
    assert batch.table.num_rows == 2 and batch.ranges() == {}
