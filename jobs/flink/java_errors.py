"""The reason for a failure of Java, in one line."""

import re

from py4j.protocol import Py4JJavaError
from pyflink.util.exceptions import JavaException

from lib.errors import one_line

# PyFlink translates some failures of Java and raises others as they are.
JAVA_ERRORS = (JavaException, Py4JJavaError)

# That a class is not found says nothing: the cause before it has the reason.
_CAUSED_BY = re.compile(
    r"^Caused by: (?!java.lang.ClassNotFound)(?:[\w.$]+(?:Exception|Error)?: )(?P<fact>.+)$",
    re.MULTILINE,
)

_CLASS_NAME = re.compile(r"^(?:An error occurred while calling [\w.]+\n?: )?(?:[\w$]+\.)+[\w$]+: ")


# The class of an error and of each of its causes.
_CLASSES = re.compile(
    r"^(?:Caused by: |: )?(?:[\w$]+\.)+([\w$]+(?:Exception|Error))\b", re.MULTILINE
)

# Errors of a program, which no text that it reads should cause.
_INTERNAL = {
    "ArrayIndexOutOfBoundsException",
    "AssertionError",
    "ClassCastException",
    "ConcurrentModificationException",
    "IllegalStateException",
    "IndexOutOfBoundsException",
    "NullPointerException",
    "StackOverflowError",
}

# The one message whose first line leaves out which columns and types it is about.
_DIFFERENT = re.compile(
    r"(?P<fact>Column types of query result and sink .+?)\.\nCause: (?P<why>.+?)\.?\n\n"
    r"Query schema: (?P<query>.+)\nSink schema: +(?P<sink>.+)"
)

# A connector lists the wrong options below the line that says what is wrong.
_OPTIONS = re.compile(
    r"^(?:Unsupported options|Missing required options are):\n\n(?P<names>(?:[\w.-]+\n)+)",
    re.MULTILINE,
)

# Flink's options have no other message; its cause leaves out which option it is about.
_VALUE = re.compile(r"Could not parse value '[^']*' for key '(?P<option>[\w.-]+)'")

_CONNECTED = re.compile(
    r"Unable to create a (?:source|sink) for \w+ table '(?:\w+\.)*(?P<name>\w+)'"
)
_UNKNOWN = re.compile(r"Could not find any factory for identifier (?P<name>'[^'\n]+')")

# Where a job fails at its start because of the state from which it should resume.
_RESTORES = "CheckpointCoordinator.restoreSavepoint("

_UNEXPECTED = re.compile(
    r"(?:Encountered|Incorrect syntax near the keyword) [\"'](?:\W )?(\w+)[\"']"
)
# Reserved words that are hardly ever meant as names.
_CLAUSES = {"FROM", "GROUP", "INTO", "JOIN", "ON", "ORDER", "SELECT", "UNION", "WHERE"}


def cause(error: BaseException) -> str:
    """The innermost cause of a Java failure, in one line: the first line often has no reason."""
    text = str(error)
    if match := _DIFFERENT.search(text):
        return one_line("{fact}: {why}: {query} for {sink}".format(**match.groupdict()))
    if match := _VALUE.search(text):
        return one_line(match[0])
    causes = _CAUSED_BY.findall(text)
    fact = causes[-1] if causes else _CLASS_NAME.sub("", text).split("\n")[0]
    options = _OPTIONS.search(text)
    names = f": {', '.join(options['names'].split())}" if options else ""
    return one_line(fact).rstrip(".") + names


def internal(error: BaseException) -> str:
    """The class of an error in Flink's own code; empty if Flink refuses what it was given."""
    name = next(reversed(_CLASSES.findall(str(error))), "")
    return name if name in _INTERNAL else ""


def option(error: BaseException) -> str:
    """The option of Flink whose value it cannot read; empty if it fails for another reason."""
    match = _VALUE.search(str(error))
    return match["option"] if match else ""


def unexpected_word(error: BaseException) -> str:
    """The word at which Flink's parser stops, if it may be meant as a name; empty otherwise."""
    match = _UNEXPECTED.search(str(error))
    return match[1] if match and match[1].upper() not in _CLAUSES else ""


def is_about_saved_state(error: BaseException) -> bool:
    """Whether Flink cannot resume from a savepoint or checkpoint."""
    return _RESTORES in str(error)


def is_about(error: BaseException, name: str, text: str) -> bool:
    """Whether Flink cannot create the connector or format of the table that a statement creates."""
    table, connector = _CONNECTED.search(str(error)), _UNKNOWN.search(str(error))
    return bool((table and table["name"] == name) or (connector and connector["name"] in text))
