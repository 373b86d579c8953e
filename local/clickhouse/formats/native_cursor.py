"""A position in Native blocks, and the numbers and texts that are read there."""


class Cursor:
    """A position in blocks that the engine wrote."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def size(self) -> int:
        """Read a number of seven bits a byte."""
        size, shift = 0, 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            size |= (byte & 127) << shift
            if byte < 128:
                return size
            shift += 7

    def number(self) -> int:
        """Read a number of eight bytes."""
        self.at += 8
        return int.from_bytes(self.data[self.at - 8 : self.at], "little")

    def text(self) -> str:
        """Read a text after its size."""
        size = self.size()
        self.at += size
        return self.data[self.at - size : self.at].decode(errors="replace")

    def skip_texts(self, count: int) -> None:
        """Step over texts; with a variable of its own for speed."""
        data, at = self.data, self.at
        for _ in range(count):
            size = data[at]
            at += 1
            if size > 127:
                self.at = at - 1
                size = self.size()
                at = self.at
            at += size
        self.at = at
