"""Rows of a stream as events for its clients."""

from dataclasses import dataclass, field

from api.events import sse

# A client that is further behind gets only the newest row of each key.
MAX_WAITING = 2_000
NEWEST = "newest"


@dataclass(slots=True)
class RowBatch:
    """Rows in the order of their offsets, each with its key, and the id of the position after them;
    `name` is the event's.

    Without rows it is only an id, from which a client can resume; without an id, a later event has
    it.
    """

    lines: list[tuple[str, bytes]]
    identity: str
    name: str = ""
    _events: dict[frozenset[str], bytes] = field(default_factory=dict)

    def event(self, keys: frozenset[str]) -> bytes:
        """The rows of these keys as one event, made once for all clients with the same keys."""
        if not self.lines:
            return f"id: {self.identity}\n\n".encode()
        if keys not in self._events:
            lines = [line for key, line in self.lines if not keys or key in keys]
            data = b"[%b]" % b",".join(lines)
            event = sse.event(data, name=self.name, identity=self.identity) if lines else b""
            self._events[keys] = event
        return self._events[keys]


def merge(waiting: list[RowBatch], batch: RowBatch) -> list[RowBatch]:
    """For a Mailbox: all batches, or the newest row of each key and event if there are too many
    rows."""
    waiting = [*waiting, batch]
    if sum(len(each.lines) for each in waiting) <= MAX_WAITING:
        return waiting
    newest: dict[str, dict[str, bytes]] = {NEWEST: {}}
    for each in waiting:
        newest.setdefault(each.name or NEWEST, {}).update(each.lines)
    identities = [each.identity for each in waiting if each.identity]
    batches = [RowBatch([*lines.items()], "", name) for name, lines in newest.items() if lines]
    # A client resumes behind all of them.
    batches[-1].identity = identities[-1] if identities else ""
    return batches


class EventWriter:
    """Writes the events of one client, with the rows of its keys; without keys, all rows."""

    def __init__(self, keys: frozenset[str]) -> None:
        self._keys = keys
        self._owes_id = True

    def write(self, batch: RowBatch) -> bytes:
        """The event; empty if the batch has neither a row nor a due id for the client."""
        if not batch.lines and not self._owes_id:
            return b""
        event = batch.event(self._keys)
        if event:
            self._owes_id = not batch.identity
        return event
