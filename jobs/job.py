"""A streaming job: its SQL files, read once, and what follows from them."""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from jobs.kafka import sources
from jobs.targets import calls
from jobs.targets.calls import Call
from lib import conf, locks, sql_variables
from lib.errors import JobError
from lib.files import show
from lib.settings import Settings
from lib.sqlfiles import SqlFile, condensed, without_comments

# Flink's options of one job, in a file beside its SQL.
OPTIONS_FILE = "flink.yaml"
# Options that the runner sets, or that come from our settings.
_OWN = (
    "pipeline.name",
    "pipeline.jars",
    "python.executable",
    "python.client.executable",
    "execution.target",
    "execution.checkpointing.dir",
    "execution.state-recovery.path",
    "rest.",
)
# Options of the planner that change no plan: saved state fits whatever they are.
_OUTSIDE_PLAN = ("table.exec.state.ttl", "table.exec.source.idle-timeout")

_FILLED = re.compile(r"INSERT INTO (?:\S+\.)?[`\"]?(?P<table>\w+)", re.IGNORECASE)


NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Job:
    """A folder below sql/flink, settings filled in."""

    name: str
    files: tuple[SqlFile, ...]
    # The calls of the sink, one for each target.
    calls: tuple[Call, ...]
    # The Kafka topics that its files name.
    topics: tuple[str, ...]
    # False if one of its sources reads uncommitted records.
    reads_committed: bool
    version: str
    # Where the saved state of all versions is.
    states: Path
    # Flink's options of this job alone, and their file, which need not be there.
    options: Mapping[str, str]
    options_file: Path

    @property
    def flink_options(self) -> dict[str, str]:
        """Flink's options: those of conf/flink.yaml, and over them the job's own."""
        return {**conf.flink_options(), **self.options}

    def place_of(self, option: str) -> str:
        """The file in which a Flink option is set, or would be."""
        return show(self.options_file if option in self.options else conf.FLINK_FILE)

    @property
    def unread(self) -> list[SqlFile]:
        """The views that no insert reads."""
        inserts = [file for file in self.files if file.kind == "insert"]
        read = {each.place for file in inserts for each in calls.read_by(file, self.files)}
        return [file for file in self.files if file.kind == "view" and file.place not in read]

    @property
    def state(self) -> Path:
        """Where this version keeps its saved state."""
        return self.states / self.version


def check_name(name: str) -> None:
    """Raise JobError for a path: its lock and its state would not be those of the job."""
    if "/" in name or name in ("", ".", ".."):
        raise JobError(f"{name!r}: not a job's name; give the name of a folder in sql/flink/.")


def check_accounts(job: Job) -> None:
    """Raise JobError for a job without an insert that accounts for the records of its topic."""
    if not any(call.target.dead_letters for call in job.calls):
        raise JobError(
            f"job {job.name}: no insert accounts for the records of its topic; name a table of "
            "dead letters in its target: 'table (columns) ELSE database.dead_letters (reason)'."
        )


def load(config: Settings, name: str) -> Job:
    """Read a job's files; raise SqlFileError, SettingsError or JobError for the first that is
    wrong."""
    check_name(name)
    folder = config.sql_dir / "flink" / name
    files = sql_variables.load(folder, config.variables())
    return of(config, name, files, _options(folder / OPTIONS_FILE))


def _options(file: Path) -> dict[str, str]:
    """Flink's options in a file, which need not be there; raise JobError for one of the runner."""
    options = conf.flink_options(file) if file.exists() else {}
    for key in options:
        if key.startswith(_OWN):
            raise JobError(
                f"{show(file)}: {key} is set by the runner, or by a setting in "
                f"{show(conf.FILE)}; leave it out."
            )
    return options


def of(
    config: Settings, name: str, files: Sequence[SqlFile], options: Mapping[str, str] = NO_OPTIONS
) -> Job:
    """The job of these files, with Flink's options of its own; raise JobError if they misuse the
    sink, or fill a table that none of them creates."""
    for file in files:
        _check_filled(file, files)
    return Job(
        name=name,
        files=tuple(files),
        calls=calls.read(files),
        topics=tuple(sorted({topic for file in files for topic in file.topics})),
        reads_committed=not sources.reads_uncommitted(files),
        version=version(files, options),
        states=config.data_dir / "flink" / name,
        options=options,
        options_file=config.sql_dir / "flink" / name / OPTIONS_FILE,
    )


def filled(file: SqlFile) -> str:
    """The table of the job that an insert fills; empty for another statement."""
    match = _FILLED.match(condensed(file.text))
    return match["table"] if match else ""


def _check_filled(file: SqlFile, files: Sequence[SqlFile]) -> None:
    table = filled(file)
    others = " ".join(without_comments(other.text) for other in files if other is not file)
    if table and not re.search(rf"\b{re.escape(table)}\b", others):
        raise JobError(
            f"{file.place}: INSERT INTO {table}, which no file of the job creates; "
            "copy 800_sink_inserted.sql from another job, or fix the name."
        )


def version(files: Sequence[SqlFile], options: Mapping[str, str] = NO_OPTIONS) -> str:
    """A hash: the same for files that differ only in comments, and in blanks outside strings. The
    planner's options are part of it, because saved state belongs to a plan."""
    planner = [
        f"{key}={value}"
        for key, value in sorted(options.items())
        if key.startswith("table.") and key not in _OUTSIDE_PLAN
    ]
    text = "\0".join([*(condensed(file.text) for file in files), *planner])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def run_name(purpose: str, name: str) -> str:
    """A name for one run beside a job, with which those of its tables and topics begin."""
    return f"{_run_prefix(purpose, name)}{secrets.token_hex(4)}"


def run_pattern(purpose: str, name: str) -> str:
    """A regular expression for the names of all such runs of a job."""
    return f"{_run_prefix(purpose, name)}[0-9a-f]{{8}}"


def _run_prefix(purpose: str, name: str) -> str:
    return f"{purpose}_{re.sub(r'[^A-Za-z0-9]', '_', name)}_"


def lock_file(config: Settings, name: str) -> Path:
    """The file that the process which runs a job holds."""
    return config.data_dir / "run" / f"job-{name}.pid"


def replay_lock_file(config: Settings, name: str) -> Path:
    """The file that the process which replays a job's dead letters holds."""
    return config.data_dir / "run" / f"replay-{name}.pid"


def held(config: Settings, name: str) -> AbstractContextManager[None]:
    """Keep others from running a job during the block; raise SetupError if one runs it."""
    remedy = f"stop it with `make stop-job JOB={name}`."
    return locks.held(lock_file(config, name), f"job {name}", remedy)


def replay_held(config: Settings, name: str) -> AbstractContextManager[None]:
    """Keep others from replaying the dead letters of a job during the block; raise SetupError if
    one does."""
    file, remedy = replay_lock_file(config, name), "wait until it has ended."
    return locks.held(file, f"a replay of job {name}", remedy)


def backtest_held(config: Settings, name: str) -> AbstractContextManager[None]:
    """Keep others from back-testing a view of a job during the block; raise SetupError if one
    does."""
    file = config.data_dir / "run" / f"backtest-{name}.pid"
    return locks.held(file, f"a back-test of job {name}", "wait until it has ended.")
