"""Output formats: those that can be sent block by block, and the join of chDB's blocks.

chDB writes each block of a stream as a document of its own. Documents without head and tail are
joined as they are, those of an Arrow stream without repeated heads and early tails; an answer in
any other format must be computed whole.
"""

import struct
from collections.abc import Callable

_PLAIN = {
    "tabseparated", "tsv", "tabseparatedraw", "tsvraw", "raw", "csv", "jsoneachrow", "jsonlines",
    "ndjson", "jsonl", "jsoncompacteachrow", "jsonstringseachrow", "jsoncompactstringseachrow",
    "rowbinary", "native", "tskv", "msgpack", "lineasstring", "rawblob", "bsoneachrow",
}  # fmt: skip
_ARROW_STREAM = "arrowstream"
_ARROW_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"


def streams(fmt: str) -> bool:
    """Whether an answer in this format can be sent while it is computed."""
    return fmt.lower() in _PLAIN or fmt.lower() == _ARROW_STREAM


class Joiner:
    """Turns the documents of a stream's blocks into one document."""

    def __init__(self, fmt: str, rewrite: Callable[[bytes], bytes] | None = None) -> None:
        self._arrow = fmt.lower() == _ARROW_STREAM
        self._rewrite = rewrite
        self._begun = False

    def add(self, block: bytes) -> bytes:
        """The bytes of the next block that follow those before it."""
        if self._rewrite:
            return self._rewrite(block)
        if not self._arrow or not block:
            return block
        if self._begun:
            block = block[_schema_size(block) :]
        self._begun = True
        return block.removesuffix(_ARROW_END)

    def end(self) -> bytes:
        """The end of the document."""
        return _ARROW_END if self._arrow and self._begun else b""


def _schema_size(block: bytes) -> int:
    """The length of an Arrow stream's first message; a schema has no body."""
    return 8 + int(struct.unpack_from("<i", block, 4)[0])
