import copy
from typing import Any

import pandas as pd
import pyarrow as pa
from pyflink.fn_execution import coder_impl_slow, coders

from jobs.sink import arrow_columns

NUMBERS = [2**53 + 1, None]


def to_pandas(timezone: Any, field_types: Any, batches: list[pa.RecordBatch]) -> list[pd.Series]:
    series = pa.Table.from_batches(batches).to_pandas()
    series["t"] = series["t"].dt.tz_localize(timezone)
    return [series[name] for name in series]


def converted() -> tuple[pd.Series, pd.Series]:
    times = pa.array([0, 1], pa.timestamp("ms"))
    batch = pa.RecordBatch.from_arrays([pa.array(NUMBERS), times], names=["n", "t"])
    numbers, instants = arrow_columns.carry_arrow(to_pandas)("Europe/Berlin", None, [batch])
    return numbers, instants


def test_the_exact_column_of_a_series_is_found() -> None:
    numbers, _ = converted()
    assert numbers.tolist()[0] == 2**53, "pandas rounds it"
    assert arrow_columns.of(numbers).to_pylist() == NUMBERS


def test_a_series_computed_from_another_does_not_have_its_column() -> None:
    numbers, _ = converted()
    for other in (numbers * 2, numbers + 0, numbers.copy(), numbers[::-1], numbers.head(1),
                  copy.deepcopy(numbers), numbers.fillna(0)):  # fmt: skip
        assert arrow_columns.of(other) is other


def test_a_time_with_a_zone_stays_a_series() -> None:
    _, instants = converted()
    assert arrow_columns.of(instants) is instants
    assert pa.array(instants).cast(pa.int64()).to_pylist()[0] < 0


def test_a_value_that_is_no_series_stays_unchanged() -> None:
    plain = pd.Series([1])
    for value in (None, 1, "a", plain):
        assert arrow_columns.of(value) is value


def test_the_decoder_that_pyflink_uses_is_wrapped_once() -> None:
    arrow_columns.install()
    wrapped = coders.coder_impl.arrow_to_pandas
    arrow_columns.install()
    assert coders.coder_impl.arrow_to_pandas is wrapped
    for decoder in (coders.coder_impl, coder_impl_slow):
        assert decoder.arrow_to_pandas.is_millrace
        assert not hasattr(decoder.arrow_to_pandas.__wrapped__, "is_millrace")


def test_pyflinks_own_coder_gives_series_with_their_columns() -> None:
    from io import BytesIO

    from pyflink.fn_execution.coder_impl_slow import ArrowCoderImpl
    from pyflink.fn_execution.stream_slow import InputStream
    from pyflink.table import DataTypes
    from pyflink.table.types import create_arrow_schema

    arrow_columns.install()
    number, text = DataTypes.BIGINT(), DataTypes.STRING()
    kinds = {
        "n": number,
        "list": DataTypes.ARRAY(number),
        "map": DataTypes.MAP(text, number),
        # A DataFrame, in which a ROW that is NULL looks like one of NULLs.
        "row": DataTypes.ROW([DataTypes.FIELD("a", number), DataTypes.FIELD("b", text)]),
    }
    rows = [
        {"n": 2**53 + 1, "list": [2**53 + 1, None], "map": [("a", 2**53 + 1)], "row": None},
        {"n": None, "list": None, "map": None, "row": {"a": 2**53 + 1, "b": None}},
    ]
    batch = pa.RecordBatch.from_pylist(rows, create_arrow_schema([*kinds], [*kinds.values()]))
    stream = BytesIO()
    with pa.ipc.new_stream(stream, batch.schema) as writer:
        writer.write_batch(batch)
    data = stream.getvalue()
    row = DataTypes.ROW([DataTypes.FIELD(name, kind) for name, kind in kinds.items()])
    coder = ArrowCoderImpl(batch.schema, row, "UTC")
    series = coder.decode_one_batch_from_stream(InputStream(data), len(data))
    assert [arrow_columns.of(one).to_pylist() for one in series] == [
        [given[name] for given in rows] for name in kinds
    ]
