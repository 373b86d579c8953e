"""Batches that adapt to the load: a bundle ends the later, the more rows the last batch had.

An insert of few rows costs as much as one of thousands. While few records come, a bundle ends after
the time of Flink's option, so that a record waits no longer. When more come, it may last as long as
the rows of the last batch would take to come at RATE: if they come faster than that, batches grow,
until one is as large as an Arrow batch may be. The option is one number for both, which an operator
reads when it opens, and no public API changes it later. All targets of a job share one time.
"""

import gc
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from py4j.protocol import Py4JError
from pyflink.util.java_utils import get_field, get_field_value

from jobs.flink.java_errors import JAVA_ERRORS
from jobs.sink.batches import Batches
from lib.errors import JobError

# Flink's option, in milliseconds, and its default.
OPTION, DEFAULT = "python.fn-execution.bundle.time", "1000"
# Rows in a millisecond. One task fills batches faster than this only under full load, and below it
# a longer time saves less than it delays: docs/adr/0010.
RATE = 100

# How often the last batches are looked at, in seconds.
_EVERY = 0.1
# A time is set if it is so many times the current one: the sizes of batches vary by themselves.
_CHANGE = 1.5

_FIELD = "maxBundleTimeMills"

# Java's failures, those of the connection to one that ends, and a field that a later Flink lacks.
_ERRORS = (*JAVA_ERRORS, Py4JError, ConnectionError, AttributeError)

# An operator that calls Python, and its field of Java's reflection.
_Operators = list[tuple[Any, Any]]


def shortest(options: Mapping[str, str]) -> int:
    """The time of Flink's option, in milliseconds; raise JobError if it is not one."""
    text = str(options.get(OPTION, DEFAULT))
    if not text.isascii() or not text.isdigit() or not int(text):
        raise JobError(
            f"conf/flink.yaml: {OPTION}: {text!r} is not a whole number of milliseconds above 0; "
            "write 10 for ten milliseconds."
        )
    return int(text)


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


def milliseconds(least: int, rows: int, current: int) -> int:
    """How long the next bundle may last, after a batch of so many rows in one of `current`."""
    # The last batch of a bundle is smaller than those before it: so at most half as long.
    wanted = max(least, rows // RATE, current // 2)
    is_near = current / _CHANGE < wanted < current * _CHANGE
    return current if is_near and wanted > least else wanted


def _adapt(cluster: Any, least: int, batches: Batches, ended: threading.Event) -> None:
    operators: _Operators = []
    current, opened = least, 0
    while not ended.wait(_EVERY):
        rows = batches.take_largest()
        if batches.opened != opened:
            # New operators have the option's time.
            operators, current, opened = [], least, batches.opened
        if not rows or (wanted := milliseconds(least, rows, current)) == current:
            continue
        try:
            operators = operators or _operators(cluster)
            for operator, field in operators:
                field.setLong(operator, wanted)
            current = wanted
        except _ERRORS:
            # Flink may just restart the job, or end.
            logging.getLogger(__name__).debug("the time of a bundle was not set", exc_info=True)


def _operators(cluster: Any) -> _Operators:
    """Those of all tasks that run now."""
    try:
        return [*_found(cluster)]
    finally:
        # What Py4J leaves is released now, by this thread: later, a thread that happens to collect
        # garbage would wait for a Java that does not answer.
        gc.collect()


def _found(cluster: Any) -> Iterator[tuple[Any, Any]]:
    for executor in get_field_value(cluster, "taskManagers"):
        slots = get_field_value(get_field_value(executor, "taskSlotTable"), "taskSlotMappings")
        for mapping in slots.values():
            for operator in _of_task(mapping.getTask()):
                if field := get_field(operator.getClass(), _FIELD):
                    yield operator, field


def _of_task(task: Any) -> Iterator[Any]:
    """The operators of a task; none if it still starts, or has ended."""
    invokable = get_field_value(task, "invokable")
    chain = None if invokable is None else get_field_value(invokable, "operatorChain")
    if chain is not None:
        for wrapper in chain.getAllOperators():
            yield wrapper.getStreamOperator()
