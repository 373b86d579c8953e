"""Sessions: handles kept between requests, so that SET and temporary tables persist."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from lib.clickhouse_errors import Code
from lib.quoting import quote_name, quote_string
from local.clickhouse.engine.handle import Handle
from local.clickhouse.errors import refusal
from local.clickhouse.request.query import Query


@dataclass(slots=True)
class Session:
    """A kept handle; a reader's session has none, since a reader can change no state."""

    handle: Handle | None = None
    busy: bool = True
    expires: float = 0.0


class Sessions:
    """All sessions, by user and id; used only in the event loop's thread."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[str, str], Session] = {}
        self._expired: list[Session] = []

    def acquire(self, query: Query) -> Session:
        """The session that the query names, created if necessary, locked until it is released."""
        key = (query.user.name, query.session or "")
        self._forget_expired()
        session = self._sessions.get(key)
        if session is None and query.session_check:
            raise refusal(Code.SESSION_NOT_FOUND, f"Session {query.session} not found")
        if session is not None and session.busy:
            raise refusal(
                Code.SESSION_IS_LOCKED,
                f"Session {query.session} is locked by a concurrent client",
            )
        if session is None:
            session = self._sessions[key] = Session()
        session.busy = True
        return session

    def release(self, query: Query, session: Session) -> None:
        """Unlock a session and start its time to live."""
        session.busy = False
        session.expires = monotonic() + query.session_timeout

    def take_expired(self, *, everything: bool) -> list[Session]:
        """Remove and return the expired sessions, or all, for their handles to be closed."""
        self._forget_expired(everything=everything)
        expired, self._expired = self._expired, []
        return expired

    def _forget_expired(self, *, everything: bool = False) -> None:
        now = monotonic()
        for key, session in list(self._sessions.items()):
            if not session.busy and (everything or session.expires < now):
                self._expired.append(self._sessions.pop(key))


@contextmanager
def restored(handle: Handle, query: Query) -> Iterator[None]:
    """Undo, after a query of a session, the settings that the request set for that query alone."""
    before = _settings(handle, query)
    database = handle.ask("SELECT currentDatabase()").strip() if query.database else None
    try:
        yield
    finally:
        if database is not None:
            handle.use(database)
        for statement in before:
            handle.ask(statement)
        for table in query.externals:
            handle.ask(f"DROP TEMPORARY TABLE IF EXISTS {quote_name(table.name)}")


def _settings(handle: Handle, query: Query) -> list[str]:
    """The statements that restore the settings which the query's own will change."""
    changed = [name for name in query.engine_settings if name != "readonly"]
    if not changed:
        return []
    names = ", ".join(map(quote_string, changed))
    rows = handle.ask(
        f"SELECT name, changed, hex(value) FROM system.settings WHERE name IN ({names})"
    )
    values = [row.split("\t") for row in rows.splitlines()]
    return [
        f"SET {quote_name(name)} = {_literal(value) if changed == '1' else 'DEFAULT'}"
        for name, changed, value in values
    ]


def _literal(digits: str) -> str:
    """The string literal of the bytes that these hexadecimal digits are."""
    return quote_string(bytes.fromhex(digits).decode(errors="surrogateescape"))
