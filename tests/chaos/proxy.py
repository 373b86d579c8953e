"""A TCP proxy between the job and ClickHouse, which cuts connections when it is told to."""

import asyncio
import threading

_ADDRESS = "127.0.0.1"


class Proxy:
    """Passes on what the two sides send, in a thread of its own."""

    def __init__(self, port: int, to: int) -> None:
        self.port = port
        self._to = to
        self._refuses = False
        # Where the next insert into the table of ticks is cut: "request", "answer", or nowhere.
        self._cuts_at = ""
        self._cut = threading.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._closed = asyncio.Event()
        listening = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._listen(listening)), daemon=True
        )
        self._thread.start()
        assert listening.wait(10), "the proxy does not listen"

    def cut_insert(self, place: str) -> None:
        """Cut the connection of the next insert at its "request", when it is sent, or at its
        "answer", when ClickHouse has answered."""
        self._cut.clear()
        self._cuts_at = place

    def wait_cut(self, limit: float) -> None:
        """Return when that is done."""
        assert self._cut.wait(limit), "no insert came"

    def refuse(self) -> None:
        """Cut all connections, and refuse new ones until `accept`."""
        self._refuses = True
        self._loop.call_soon_threadsafe(self._abort_all)

    def accept(self) -> None:
        self._refuses = False

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._closed.set)
        self._thread.join(10)

    async def _listen(self, listening: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._serve, _ADDRESS, self.port)
        listening.set()
        await self._closed.wait()
        server.close()

    def _abort_all(self) -> None:
        for writer in self._writers:
            # A reset: the client gets no answer, not a part of one.
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pair = {writer}
        try:
            if not self._refuses:
                answers, requests = await asyncio.open_connection(_ADDRESS, self._to)
                pair.add(requests)
                self._writers |= pair
                connection = _Connection()
                await asyncio.gather(
                    self._pass_requests(connection, reader, requests),
                    self._pass_answers(connection, answers, writer),
                )
        except OSError:
            # One side is gone, or was cut off.
            pass
        finally:
            self._writers -= pair
            for each in pair:
                each.transport.abort()

    async def _pass_requests(
        self, connection: "_Connection", client: asyncio.StreamReader, server: asyncio.StreamWriter
    ) -> None:
        while data := await client.read(1 << 16):
            connection.add(data)
            server.write(data)
            await server.drain()
            if connection.is_insert and self._cuts_at == "request":
                self._note_cut()
                break
        # The other direction ends with it: HTTP has no half-closed connections.
        raise ConnectionResetError

    async def _pass_answers(
        self, connection: "_Connection", server: asyncio.StreamReader, client: asyncio.StreamWriter
    ) -> None:
        while data := await server.read(1 << 16):
            if connection.is_insert and self._cuts_at == "answer":
                self._note_cut()
                break
            connection.end()
            client.write(data)
            await client.drain()
        raise ConnectionResetError

    def _note_cut(self) -> None:
        self._cuts_at = ""
        self._cut.set()


class _Connection:
    """What is known of the request that a connection carries."""

    def __init__(self) -> None:
        self._head = b""

    def add(self, data: bytes) -> None:
        self._head = (self._head + data)[:2_000]

    def end(self) -> None:
        self._head = b""

    @property
    def is_insert(self) -> bool:
        """Whether it is the sink's insert into stocks.ticks."""
        return b"INSERT" in self._head and b"ticks" in self._head and b"job_" not in self._head
