"""What ClickHouse says when it refuses: a code, a text, and the HTTP status a server gives it."""

import re

# As ClickHouse's own exceptionCodeToHTTPStatus; every other code is 500.
_CODES = {
    400: "36 6 25 26 38 41 72 441 675 676 376 27 427 15 44 8 37 123 167 168 223 321 62 117 53",
    401: "194",
    403: "192 193 497 512 516",
    404: "60 46 47 50 56 81 115 152 63 73 336 78 511",
    408: "159",
    411: "381",
    413: "229",
    415: "779",
    501: "48",
    503: "76 209 439",
}
_STATUS = {int(code): status for status, codes in _CODES.items() for code in codes.split()}
_CODE = re.compile(r"Code: (\d+)\. ")


class QueryError(Exception):
    """A refusal in ClickHouse's own words, with its code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    @property
    def status(self) -> int:
        """The HTTP status a ClickHouse server answers with."""
        return _STATUS.get(self.code, 500)


def refusal(code: int, name: str, message: str) -> QueryError:
    """A refusal of our own, worded as the server words its own."""
    return QueryError(code, f"Code: {code}. DB::Exception: {message} ({name})")


def readonly(message: str = "Cannot execute query in readonly mode.") -> QueryError:
    """What a server answers when a read-only user asks for more."""
    return refusal(164, "READONLY", message)


def from_engine(error: Exception) -> QueryError:
    """What chDB raised, with the code read out of its text."""
    text = str(error)
    found = _CODE.search(text)
    if found:
        return QueryError(int(found[1]), text.strip())
    return refusal(1002, "UNKNOWN_EXCEPTION", text.strip() or type(error).__name__)
