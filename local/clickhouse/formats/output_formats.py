"""Output formats: which can be sent block by block, and how to join what chDB gives per block.

chDB writes every block of a stream as a document of its own. Where a document has neither head
nor tail the blocks join as they are; an Arrow stream joins once repeated heads and early tails
are cut; anything else must be asked for in one piece.
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
    """Whether an answer in this format can be sent while it is being computed."""
    return fmt.lower() in _PLAIN or fmt.lower() == _ARROW_STREAM


class Joiner:
    """Turns the documents of a stream's blocks into one document."""

    def __init__(self, fmt: str, rewrite: Callable[[bytes], bytes] | None = None) -> None:
        self._arrow = fmt.lower() == _ARROW_STREAM
        self._rewrite = rewrite
        self._begun = False

    def add(self, block: bytes) -> bytes:
        """The bytes of the next block, fit to follow those before it."""
        if self._rewrite:
            return self._rewrite(block)
        if not self._arrow or not block:
            return block
        if self._begun:
            block = block[_schema_size(block) :]
        self._begun = True
        return block.removesuffix(_ARROW_END)

    def end(self) -> bytes:
        """What closes the document."""
        return _ARROW_END if self._arrow and self._begun else b""


def _schema_size(block: bytes) -> int:
    """The length of an Arrow stream's first message; a schema has no body."""
    return 8 + int(struct.unpack_from("<i", block, 4)[0])
