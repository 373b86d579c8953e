"""The errors that a user can fix: each names place, fact and remedy in one line.

MillraceError
├── SettingsError         conf/ and the environment
├── SqlFileError          a file under sql/
├── MigrationError        the schema in ClickHouse and the files differ
├── SetupError            Java, JARs, ports, folders
├── ServiceError          Kafka, ClickHouse or Flink is unavailable or refuses
│   ├── UnavailableError  it does not answer, but may answer later
│   └── StoppingError     the embedded stack is being stopped
├── BackupError           a backup that cannot be made or restored
├── ReplayError           a recording that cannot be replayed
├── SqlTestError          a case of a SQL file that cannot be run
└── JobError              a Flink job that cannot run
    ├── SinkError         rows the sink must not store; trying again cannot help
    └── RestartError      nothing to fix: the job continues when it is started again

`make setup` imports them on the system's Python: no syntax or annotation that an old one refuses.
"""

import difflib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class MillraceError(Exception):
    """An error that a user can fix. Each argument is one problem: place, fact and remedy in one
    line."""

    # The exit status of the program.
    status = 2

    @property
    def lines(self) -> "list[str]":
        """A line for each problem."""
        return [one_line(problem) for problem in self.args]

    def __str__(self) -> str:
        return " ".join(map(str, self.args))


class SettingsError(MillraceError):
    """A setting that is unknown, missing or of the wrong type."""


class SqlFileError(MillraceError):
    """A SQL file that breaks the contract of its folder."""


class MigrationError(MillraceError):
    """Applied migrations and the files on disk do not agree."""


class SetupError(MillraceError):
    """The machine lacks something: Java, a JAR, a free port, room on a disk."""


class ServiceError(MillraceError):
    """Kafka, ClickHouse or Flink cannot be reached, or refuses."""


class UnavailableError(ServiceError):
    """It does not answer, but may answer later."""


class StoppingError(ServiceError):
    """The embedded stack is ending its programs."""


class BackupError(MillraceError):
    """A backup that cannot be made, is damaged, or does not fit what is there."""


class ReplayError(MillraceError):
    """A recording that cannot be read, or a row of it that is not a tick."""


class SqlTestError(MillraceError):
    """A case in tests/sql/ that cannot be read or run."""


class JobError(MillraceError):
    """A streaming job that cannot be built, started or kept running."""


class SinkError(JobError):
    """Rows that the sink must not store as they are: the job stops, nothing is lost."""


class RestartError(JobError):
    """A job that lost Kafka, ClickHouse or Flink's Java. A supervisor starts it again at this exit
    status, and it continues from its last checkpoint."""

    # EX_TEMPFAIL of sysexits.h, which no other error of ours or of Python has.
    status = 75


def one_line(text: object) -> str:
    """Fold any text into one line, so that an error stays one line."""
    return " ".join(str(text).split())


def did_you_mean(name: str, known: "Iterable[str]", otherwise: str = "known:") -> str:
    """The remedy for an unknown name: the most similar one, or else all that are known."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"{otherwise} {', '.join(known)}."


@contextmanager
def exit_on_error() -> "Iterator[None]":
    """Print a MillraceError on stderr, one line for each problem, and exit with its status: 2 if
    the user must fix something. A bug keeps its traceback."""
    # Taken now: a job replaces sys.stderr while Flink's workers write to it.
    stderr = sys.stderr
    try:
        yield
    except MillraceError as error:
        print(*error.lines, sep="\n", file=stderr, flush=True)
        sys.exit(error.status)
