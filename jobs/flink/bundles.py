"""Batches that adapt to the load: a bundle ends the later, the more rows the last batch had.

An insert of few rows costs as much as one of thousands. While few records come, a bundle ends after
the time of Flink's option, so that a record waits no longer. When more come, it may last as long as
the rows of the last batch would take to come at RATE: if they come faster than that, batches grow,
until one is as large as an Arrow batch may be. The option is one number for both, which an operator
reads when it opens, and no public API changes it later. Where the job's Java is not at hand, it
keeps the option's.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from py4j.protocol import Py4JError
from pyflink.util.java_utils import get_field, get_field_value

from jobs.flink.java_errors import JAVA_ERRORS

# Flink's option and its default: the shortest time of a bundle, in milliseconds.
OPTION, DEFAULT = "python.fn-execution.bundle.time", "1000"
# Rows in a millisecond.
RATE = 100

# How often the last batches are looked at, and the operators are looked for, since Flink may have
# restarted their tasks: in seconds.
_EVERY, _LOOK_AGAIN = 0.1, 5.0
# A time is passed on when it is so many times another: the sizes of batches vary by themselves.
_CHANGE = 1.5

_FIELD = "maxBundleTimeMills"

# Java's failures, and those of the connection to one that ends.
_ERRORS = (*JAVA_ERRORS, Py4JError, ConnectionError)

# Returns the rows of the largest batch since the last call; None if there was none.
Largest = Callable[[], int | None]


@contextmanager
def adapting(cluster: Any, options: Mapping[str, str], largest: Largest) -> Iterator[None]:
    """Adapt the bundles of the job in a MiniCluster to its batches while the block runs."""
    ended = threading.Event()
    arguments = (cluster, int(options.get(OPTION, DEFAULT)), largest, ended)
    thread = threading.Thread(target=_adapt, args=arguments, name="bundles", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()


def milliseconds(shortest: int, rows: int) -> int:
    """How long a bundle may last after a batch of so many rows."""
    return max(shortest, rows // RATE)


def _adapt(cluster: Any, shortest: int, largest: Largest, ended: threading.Event) -> None:
    operators: list[tuple[Any, Any]] = []
    passed_on, looked = shortest, 0.0
    while not ended.wait(_EVERY):
        rows = largest()
        if rows is None:
            continue
        # The last batch of a bundle is smaller than those before it.
        now = max(milliseconds(shortest, rows), passed_on // 2)
        is_new = now > shortest and time.monotonic() > looked + _LOOK_AGAIN
        if not is_new and passed_on / _CHANGE < now < passed_on * _CHANGE:
            continue
        # Flink may just restart the job, or end: then the next round is soon enough.
        with suppress(*_ERRORS):
            if is_new or not operators:
                operators, looked = [*_operators(cluster)], time.monotonic()
            for operator, field in operators:
                field.setLong(operator, now)
            passed_on = now


def _operators(cluster: Any) -> Iterator[tuple[Any, Any]]:
    """The operators that call Python, each with its field of Java's reflection."""
    for executor in get_field_value(cluster, "taskManagers"):
        slots = get_field_value(get_field_value(executor, "taskSlotTable"), "taskSlotMappings")
        for mapping in slots.values():
            invokable = get_field_value(mapping.getTask(), "invokable")
            for wrapper in get_field_value(invokable, "operatorChain").getAllOperators():
                operator = wrapper.getStreamOperator()
                if field := get_field(operator.getClass(), _FIELD):
                    yield operator, field
