"""What Java says when it fails, in one line."""

import re

from py4j.protocol import Py4JJavaError
from pyflink.util.exceptions import JavaException

from lib.errors import one_line

# As PyFlink raises a failure of Java: translated, or not.
JAVA_ERRORS = (JavaException, Py4JJavaError)

_CAUSED_BY = re.compile(r"^Caused by: (?:[\w.$]+(?:Exception|Error)?: )(?P<fact>.+)$", re.MULTILINE)

_CLASS_NAME = re.compile(r"^(?:An error occurred while calling [\w.]+\n?: )?(?:[\w$]+\.)+[\w$]+: ")


def cause(error: BaseException) -> str:
    """The innermost cause of a Java failure, in one line: the first line often says nothing."""
    text = str(error)
    found = _CAUSED_BY.findall(text)
    fact = found[-1] if found else _CLASS_NAME.sub("", text).split("\n")[0]
    return one_line(fact).rstrip(".")
