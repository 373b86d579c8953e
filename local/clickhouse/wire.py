"""HTTP as it comes in: a ClickHouse server takes any byte in an address."""

import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class RawAddresses(HttpToolsProtocol):
    """Percent-encodes what is not ASCII in a request's first line, which the parser refuses."""

    _in_first_line = True

    def data_received(self, data: bytes) -> None:
        if self._in_first_line:
            line, end, rest = data.partition(b"\n")
            self._in_first_line = not end
            data = re.sub(rb"[\x80-\xff]", _encoded, line) + end + rest
        super().data_received(data)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_first_line = True


def _encoded(byte: re.Match[bytes]) -> bytes:
    return b"%%%02X" % byte[0][0]
