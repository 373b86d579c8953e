"""ClickHouse's error codes under ClickHouse's own names, and which of them are transient.

The numbers are those of src/Common/ErrorCodes.cpp; a test compares them with the engine.
"""

from enum import IntEnum


class Code(IntEnum):
    """The codes that the programs distinguish or answer with.

    `access`: the server refuses the user. `transient`: load, memory, disks, networks or replicas,
    so that the same statement may succeed later. `value`: a value of a row. Every other code is
    about the statement or the schema."""

    cause: str

    def __new__(cls, number: int, cause: str = "") -> "Code":
        code = int.__new__(cls, number)
        code._value_ = number
        code.cause = cause
        return code

    UNEXPECTED_END_OF_FILE = 3, "transient"
    CANNOT_PARSE_TEXT = 6, "value"
    DUPLICATE_COLUMN = 15
    CANNOT_PARSE_ESCAPE_SEQUENCE = 25
    CANNOT_PARSE_QUOTED_STRING = 26
    CANNOT_PARSE_INPUT_ASSERTION_FAILED = 27
    CANNOT_READ_ALL_DATA = 33
    BAD_ARGUMENTS = 36
    UNKNOWN_ELEMENT_IN_AST = 37
    CANNOT_PARSE_DATE = 38, "value"
    CHECKSUM_DOESNT_MATCH = 40
    CANNOT_PARSE_DATETIME = 41, "value"
    ILLEGAL_COLUMN = 44
    UNKNOWN_FUNCTION = 46
    UNKNOWN_IDENTIFIER = 47
    NOT_IMPLEMENTED = 48
    UNKNOWN_TYPE = 50
    TYPE_MISMATCH = 53
    UNKNOWN_STORAGE = 56
    TABLE_ALREADY_EXISTS = 57
    UNKNOWN_TABLE = 60
    SYNTAX_ERROR = 62
    UNKNOWN_AGGREGATE_FUNCTION = 63
    ARGUMENT_OUT_OF_BOUND = 69, "value"
    CANNOT_PARSE_NUMBER = 72, "value"
    UNKNOWN_FORMAT = 73
    CANNOT_READ_FROM_FILE_DESCRIPTOR = 74, "transient"
    CANNOT_WRITE_TO_FILE_DESCRIPTOR = 75, "transient"
    CANNOT_OPEN_FILE = 76, "transient"
    UNKNOWN_TYPE_OF_QUERY = 78
    UNKNOWN_DATABASE = 81
    UNKNOWN_COMPRESSION_METHOD = 89
    CANNOT_READ_FROM_SOCKET = 95, "transient"
    CANNOT_WRITE_TO_SOCKET = 96, "transient"
    UNKNOWN_SETTING = 115
    INCORRECT_DATA = 117, "value"
    UNKNOWN_TYPE_OF_AST_NODE = 123
    UNKNOWN_DIRECTION_OF_SORTING = 152
    ILLEGAL_DIVISION = 153, "value"
    TOO_MANY_ROWS = 158
    TIMEOUT_EXCEEDED = 159, "transient"
    TOO_SLOW = 160, "transient"
    READONLY = 164
    TOO_DEEP_AST = 167
    TOO_BIG_AST = 168
    CANNOT_ALLOCATE_MEMORY = 173, "transient"
    UNKNOWN_USER = 192, "access"
    WRONG_PASSWORD = 193, "access"
    REQUIRED_PASSWORD = 194, "access"
    DNS_ERROR = 198, "transient"
    QUOTA_EXCEEDED = 201, "transient"
    TOO_MANY_SIMULTANEOUS_QUERIES = 202, "transient"
    NO_FREE_CONNECTION = 203, "transient"
    CANNOT_FSYNC = 204, "transient"
    SOCKET_TIMEOUT = 209, "transient"
    NETWORK_ERROR = 210, "transient"
    QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING = 216, "transient"
    TABLE_IS_DROPPED = 218, "transient"
    UNEXPECTED_AST_STRUCTURE = 223
    NO_ZOOKEEPER = 225, "transient"
    QUERY_IS_TOO_LARGE = 229
    ABORTED = 236, "transient"
    MEMORY_LIMIT_EXCEEDED = 241, "transient"
    TABLE_IS_READ_ONLY = 242, "transient"
    NOT_ENOUGH_SPACE = 243, "transient"
    TOO_MANY_PARTS = 252, "transient"
    NO_ACTIVE_REPLICAS = 254, "transient"
    NO_AVAILABLE_REPLICA = 265, "transient"
    CANNOT_DECOMPRESS = 271
    ALL_CONNECTION_TRIES_FAILED = 279, "transient"
    TOO_FEW_LIVE_REPLICAS = 285, "transient"
    UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE = 286, "transient"
    REPLICA_IS_NOT_IN_QUORUM = 289, "transient"
    CANNOT_WRITE_TO_FILE = 294, "transient"
    SHARD_HAS_NO_CONNECTIONS = 297, "transient"
    TOO_MANY_BYTES = 307
    UNKNOWN_STATUS_OF_INSERT = 319, "transient"
    VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE = 321, "value"
    UNKNOWN_DATABASE_ENGINE = 336
    UNFINISHED = 341, "transient"
    CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN = 349, "value"
    RECEIVED_ERROR_TOO_MANY_REQUESTS = 364, "transient"
    SESSION_NOT_FOUND = 372
    SESSION_IS_LOCKED = 373, "transient"
    INVALID_SESSION_TIMEOUT = 374
    CANNOT_PARSE_UUID = 376, "value"
    HTTP_LENGTH_REQUIRED = 381
    PART_IS_TEMPORARILY_LOCKED = 384, "transient"
    QUERY_WAS_CANCELLED = 394, "transient"
    FUNCTION_THROW_IF_VALUE_IS_NON_ZERO = 395, "value"
    TOO_MANY_ROWS_OR_BYTES = 396
    DECIMAL_OVERFLOW = 407, "value"
    NETLINK_ERROR = 412, "transient"
    SYSTEM_ERROR = 425, "transient"
    CANNOT_COMPILE_REGEXP = 427
    CANNOT_SCHEDULE_TASK = 439, "transient"
    CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING = 441, "value"
    VIOLATED_CONSTRAINT = 469, "value"
    DEADLOCK_AVOIDED = 473, "transient"
    ACCESS_DENIED = 497, "access"
    S3_ERROR = 499, "transient"
    UNKNOWN_ROLE = 511
    SET_NON_GRANTED_ROLE = 512
    AUTHENTICATION_FAILED = 516, "access"
    NO_REMOTE_SHARD_AVAILABLE = 519, "transient"
    DISTRIBUTED_TOO_MANY_PENDING_BYTES = 574, "transient"
    CANNOT_APPEND_TO_FILE = 641, "transient"
    CANNOT_PARSE_IPV4 = 675, "value"
    CANNOT_PARSE_IPV6 = 676, "value"
    UNKNOWN_ELEMENT_OF_ENUM = 691, "value"
    TOO_MANY_MUTATIONS = 692, "transient"
    TABLE_IS_BEING_RESTARTED = 733, "transient"
    QUERY_WAS_CANCELLED_BY_CLIENT = 735, "transient"
    PART_IS_LOCKED = 738, "transient"
    SERVER_OVERLOADED = 745, "transient"
    TCP_CONNECTION_LIMIT_REACHED = 749, "transient"
    HTTP_CONNECTION_LIMIT_REACHED = 762, "transient"
    MEMORY_RESERVATION_KILLED = 777, "transient"
    MEMORY_RESERVATION_FAILED = 778, "transient"
    UNSUPPORTED_MEDIA_TYPE = 779
    KEEPER_EXCEPTION = 999, "transient"
    POCO_EXCEPTION = 1000, "transient"
    STD_EXCEPTION = 1001, "transient"
    UNKNOWN_EXCEPTION = 1002, "transient"
    QUERY_SLOT_ACQUISITION_TIMEOUT = 1019, "transient"
    MEMORY_RESERVATION_ACQUISITION_TIMEOUT = 1020, "transient"


ACCESS = frozenset(code for code in Code if code.cause == "access")
TRANSIENT = frozenset(code for code in Code if code.cause == "transient")
VALUE = frozenset(code for code in Code if code.cause == "value")

# TOO_MANY_PARTS has two meanings: merges are behind, which passes, or one insert holds more
# partitions than a table takes at once, which does not. Only the message says which.
_TOO_MANY_PARTITIONS = "Too many partitions for single INSERT block"

# A view sees the rows after its table, which may have taken them by then.
_IN_A_VIEW = "while pushing to view"


def is_about_values(code: int | None, text: str) -> bool:
    """Whether a table refused an insert for a value of its rows, and took none of them."""
    return code in VALUE and _IN_A_VIEW not in text


def is_transient(code: int | None, text: str) -> bool:
    """Whether a statement that failed like this may succeed when it is tried again.

    `code` is None if no server answered, which is transient too."""
    if code == Code.TOO_MANY_PARTS:
        return _TOO_MANY_PARTITIONS not in text
    return code is None or code in TRANSIENT


def is_about_statement(code: int | None, text: str) -> bool:
    """Whether a statement that failed like this is wrong: ClickHouse answers and knows the user."""
    return code not in ACCESS and not is_transient(code, text)
