"""ClickHouse's errors: a code, a text, and the HTTP status that a server answers with."""

import re

from lib.clickhouse_errors import Code

# As ClickHouse's own exceptionCodeToHTTPStatus; every other code is 500.
_CODES = {
    400: (
        Code.CANNOT_PARSE_TEXT, Code.CANNOT_PARSE_ESCAPE_SEQUENCE, Code.CANNOT_PARSE_QUOTED_STRING,
        Code.CANNOT_PARSE_INPUT_ASSERTION_FAILED, Code.CANNOT_PARSE_DATE,
        Code.CANNOT_PARSE_DATETIME, Code.CANNOT_PARSE_NUMBER,
        Code.CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING, Code.CANNOT_PARSE_IPV4, Code.CANNOT_PARSE_IPV6,
        Code.CANNOT_PARSE_UUID, Code.CANNOT_COMPILE_REGEXP, Code.BAD_ARGUMENTS,
        Code.DUPLICATE_COLUMN, Code.ILLEGAL_COLUMN, Code.UNKNOWN_ELEMENT_IN_AST,
        Code.UNKNOWN_TYPE_OF_AST_NODE, Code.UNEXPECTED_AST_STRUCTURE, Code.TOO_DEEP_AST,
        Code.TOO_BIG_AST, Code.VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE, Code.SYNTAX_ERROR,
        Code.INCORRECT_DATA, Code.TYPE_MISMATCH,
    ),
    401: (Code.REQUIRED_PASSWORD,),
    403: (
        Code.UNKNOWN_USER, Code.WRONG_PASSWORD, Code.ACCESS_DENIED, Code.SET_NON_GRANTED_ROLE,
        Code.AUTHENTICATION_FAILED,
    ),
    404: (
        Code.UNKNOWN_TABLE, Code.UNKNOWN_FUNCTION, Code.UNKNOWN_IDENTIFIER, Code.UNKNOWN_TYPE,
        Code.UNKNOWN_STORAGE, Code.UNKNOWN_DATABASE, Code.UNKNOWN_SETTING,
        Code.UNKNOWN_DIRECTION_OF_SORTING, Code.UNKNOWN_AGGREGATE_FUNCTION, Code.UNKNOWN_FORMAT,
        Code.UNKNOWN_DATABASE_ENGINE, Code.UNKNOWN_TYPE_OF_QUERY, Code.UNKNOWN_ROLE,
    ),
    408: (Code.TIMEOUT_EXCEEDED,),
    411: (Code.HTTP_LENGTH_REQUIRED,),
    413: (Code.QUERY_IS_TOO_LARGE,),
    415: (Code.UNSUPPORTED_MEDIA_TYPE,),
    501: (Code.NOT_IMPLEMENTED,),
    503: (Code.CANNOT_OPEN_FILE, Code.SOCKET_TIMEOUT, Code.CANNOT_SCHEDULE_TASK),
}  # fmt: skip
_STATUS: dict[int, int] = {code: status for status, codes in _CODES.items() for code in codes}
_CODE = re.compile(r"Code: (\d+)\. DB::Exception: ")


class QueryError(Exception):
    """An error in ClickHouse's own words, with its code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    @property
    def status(self) -> int:
        """The HTTP status that a ClickHouse server answers with."""
        return _STATUS.get(self.code, 500)


def refusal(code: Code, message: str) -> QueryError:
    """An error of the embedded server, worded as a ClickHouse server's."""
    return QueryError(code, f"Code: {code}. DB::Exception: {message} ({code.name})")


def readonly(message: str = "Cannot execute query in readonly mode.") -> QueryError:
    """The error for a read-only user or query that may not run a statement."""
    return refusal(Code.READONLY, message)


def from_engine(error: Exception) -> QueryError:
    """An error that chDB raised, with the code read from its text."""
    undecoded = error.object if isinstance(error, UnicodeDecodeError) else None
    text = (undecoded.decode(errors="replace") if undecoded else str(error)).strip()
    head = _CODE.match(text)
    if not head:
        return refusal(Code.UNKNOWN_EXCEPTION, text or type(error).__name__)
    # Some errors wrap themselves, with the code twice.
    rest = text.removeprefix(head[0] * 2).removeprefix(head[0])
    return QueryError(int(head[1]), head[0] + rest)
