"""Rows of a stream on their way to its clients."""

from dataclasses import dataclass, field

from api.events import sse

# A client that is further behind gets only the newest row of each key.
MOST_WAITING = 2_000


@dataclass(slots=True)
class Rows:
    """Rows in the order of their places, each with its key, and the id of the position after them.

    Without rows it is an id alone, from which a client can resume; without an id, an event that
    follows has it.
    """

    lines: list[tuple[str, bytes]]
    identity: str
    name: str = ""
    _events: dict[frozenset[str], bytes] = field(default_factory=dict)

    def event(self, keys: frozenset[str]) -> bytes:
        """The rows that a client wants as one event, made once for all that want the same."""
        if not self.lines:
            return f"id: {self.identity}\n\n".encode()
        if keys not in self._events:
            lines = [line for key, line in self.lines if not keys or key in keys]
            data = b"[%b]" % b",".join(lines)
            found = sse.event(data, name=self.name, identity=self.identity) if lines else b""
            self._events[keys] = found
        return self._events[keys]


def fold(waiting: list[Rows], rows: Rows) -> list[Rows]:
    """For a Mailbox: rows one after the other, or the newest of each key when it gets too long."""
    waiting = [*waiting, rows]
    if sum(len(each.lines) for each in waiting) <= MOST_WAITING:
        return waiting
    newest = {key: line for each in waiting for key, line in each.lines}
    identities = [each.identity for each in waiting if each.identity]
    return [Rows(list(newest.items()), identities[-1] if identities else "", "newest")]


class Writer:
    """Writes events for one client, which wants these keys: all without any."""

    def __init__(self, keys: frozenset[str]) -> None:
        self._keys = keys
        self._owes_id = True

    def write(self, rows: Rows) -> bytes:
        """The event; empty if no row is for the client and it has an id already."""
        if not rows.lines and not self._owes_id:
            return b""
        event = rows.event(self._keys)
        if event:
            self._owes_id = not rows.identity
        return event
