"""Batches that adapt to the load: a bundle lasts longer while the task that fills it hardly waits.

An insert of few rows costs as much as one of thousands. While few records come, a bundle ends after
the time of Flink's option, so that a record waits no longer. When more come than the task can
process beside its inserts, it no longer waits for records: then bundles last longer, so that there
are fewer inserts, until it waits again, or until the longest time. The option is one number for
both, which an operator reads when it opens, and no public API changes it later. All targets of a
job share one time.
"""

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from py4j.protocol import Py4JError
from pyflink.util.java_utils import get_field, get_field_value

from jobs.flink.java_errors import JAVA_ERRORS
from jobs.sink.batches import Batches
from lib.errors import JobError

# Flink's option, in milliseconds, and its default.
TIME, DEFAULT = "python.fn-execution.bundle.time", "1000"
# This option, and the sizes of a bundle and of the batches in it, each with its unit.
_UNITS = {
    TIME: "milliseconds",
    "python.fn-execution.bundle.size": "rows",
    "python.fn-execution.arrow.batch.size": "rows",
}
# Java's largest integer.
_LARGEST = 2**31 - 1
# The longest time, in milliseconds, unless the option is longer.
LONGEST = 1_000
# The share of its time in which a task waits for records. With less than BUSY a bundle lasts twice
# as long, with more than IDLE half as long: far enough apart that a time in between is kept.
BUSY, IDLE = 0.1, 0.3

# How often the share is taken, in seconds: in less, a single insert may be all of it.
_EVERY = 0.2

_FIELD = "maxBundleTimeMills"

# Java's failures, those of the connection to one that ends, and a field that a later Flink lacks.
_ERRORS = (*JAVA_ERRORS, Py4JError, ConnectionError, AttributeError)


@dataclass(frozen=True, slots=True)
class _Operator:
    """An operator that calls Python, its field of Java's reflection, and what its task waited."""

    operator: Any
    field: Any
    waits: tuple[Any, ...]

    def waited(self) -> int:
        """The milliseconds for which the task was idle or back-pressured so far; 0 if it was never
        idle, for then it has a source that does not tell, of Flink's old interface as `datagen`."""
        idle, *others = (gauge.getAccumulatedCount() for gauge in self.waits)
        return idle + sum(others) if idle else 0


def shortest(options: Mapping[str, str], place: Callable[[str], str]) -> int:
    """The time of Flink's option, in milliseconds; raise JobError if it or a size is not a number
    above 0, with the place of that option. Flink itself would refuse it late, or let the job
    crawl."""
    for option, unit in _UNITS.items():
        text = str(options.get(option, "1"))
        if not text.isascii() or not text.isdigit() or not 0 < int(text) <= _LARGEST:
            raise JobError(
                f"{place(option)}: {option}: {text!r} is not a whole number of {unit} from 1 to "
                f"{_LARGEST}; correct it."
            )
    return int(options.get(TIME, DEFAULT))


@contextmanager
def adapting(cluster: Any, least: int, batches: Batches) -> Iterator[None]:
    """Adapt the bundles of the job in a MiniCluster to its batches while the block runs; none is
    shorter than `least` milliseconds."""
    ended = threading.Event()
    arguments = (cluster, least, batches, ended)
    thread = threading.Thread(target=_adapt, args=arguments, name="bundles", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()


def milliseconds(least: int, waited: float, current: int) -> int:
    """How long the next bundle may last, if the busiest task waited for this share of its time
    while bundles lasted `current`."""
    if waited < BUSY:
        return min(2 * current, max(least, LONGEST))
    if waited > IDLE:
        return max(current // 2, least)
    return current


def _adapt(cluster: Any, least: int, batches: Batches, ended: threading.Event) -> None:
    operators: list[_Operator] = []
    before: list[int] = []
    current, opened, since = least, 0, time.monotonic()
    while not ended.wait(_EVERY):
        if batches.opened != opened:
            # New operators have the option's time.
            operators, before, current, opened = [], [], least, batches.opened
        # At rest there is nothing to adapt.
        is_stored = batches.take()
        if not is_stored and current == least:
            continue
        try:
            operators = operators or _operators(cluster)
            now, waited = time.monotonic(), [each.waited() for each in operators]
            wanted = current
            if before:
                wanted = milliseconds(least, _share(before, waited, now - since), current)
            if wanted > current and not is_stored:
                # The task is in one long insert, which is no load.
                continue
            for each in operators if wanted != current else ():
                each.field.setLong(each.operator, wanted)
            current, before, since = wanted, waited, now
        except _ERRORS:
            # Flink may just restart the job, or end.
            operators, before = [], []
            logging.getLogger(__name__).debug("the time of a bundle was not set", exc_info=True)


def _share(before: list[int], after: list[int], seconds: float) -> float:
    """The share of the time in which the busiest task waited; one that does not tell is left
    out."""
    pairs = zip(before, after, strict=True)
    shares = ((late - early) / (1_000 * seconds) for early, late in pairs if late)
    return min(shares, default=1.0)


def _operators(cluster: Any) -> list[_Operator]:
    """Those of all tasks that run now."""
    try:
        return [*_found(cluster)]
    finally:
        # What Py4J leaves is released now, by this thread: later, a thread that happens to collect
        # garbage would wait for a Java that does not answer.
        gc.collect()


def _found(cluster: Any) -> Iterator[_Operator]:
    for executor in get_field_value(cluster, "taskManagers"):
        slots = get_field_value(get_field_value(executor, "taskSlotTable"), "taskSlotMappings")
        for mapping in slots.values():
            task = mapping.getTask()
            for operator in _of_task(task):
                if field := get_field(operator.getClass(), _FIELD):
                    yield _Operator(operator, field, _waits(task))


def _waits(task: Any) -> tuple[Any, ...]:
    """What counts the time for which a task waits."""
    metrics = task.getMetricGroup().getIOMetricGroup()
    return (
        metrics.getIdleTimeMsPerSecond(),
        metrics.getSoftBackPressuredTimePerSecond(),
        metrics.getHardBackPressuredTimePerSecond(),
    )


def _of_task(task: Any) -> Iterator[Any]:
    """The operators of a task; none if it still starts, or has ended."""
    invokable = get_field_value(task, "invokable")
    chain = None if invokable is None else get_field_value(invokable, "operatorChain")
    if chain is not None:
        for wrapper in chain.getAllOperators():
            yield wrapper.getStreamOperator()
