"""uvicorn's HTTP protocol, which takes any byte in an address as a ClickHouse server does."""

import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class RawAddresses(HttpToolsProtocol):
    """Percent-encodes bytes beyond ASCII in a request's first line: the parser refuses them."""

    _in_first_line = True
    # Whether a request ended within the bytes that are being read.
    _has_ended = False

    def data_received(self, data: bytes) -> None:
        self._has_ended = False
        if self._in_first_line:
            line, end, rest = data.partition(b"\n")
            self._in_first_line = not end
            data = re.sub(rb"[\x80-\xff]", _encoded, line) + end + rest
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # The first line of a pipelined request came with the end of the request before it: the next
        # bytes may be its body.
        if self._has_ended:
            self._in_first_line = False

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_first_line = self._has_ended = True


def _encoded(byte: re.Match[bytes]) -> bytes:
    return b"%%%02X" % byte[0][0]
