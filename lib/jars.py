"""The locked JARs, and the folder of each program that loads them.

`jgo lock` in this folder resolves jgo.toml into jgo.lock.toml; lib/install fetches what is locked.
"""

import os
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from lib.errors import SetupError

LOCK = Path(__file__).resolve().parent / "jgo.lock.toml"
FOLDER = LOCK.parent / "jars"
# Flink's own JARs on its class path.
FLINK_LIB = Path(sys.prefix) / "flink-lib"
# The program that loads the JARs of a group; the broker loads those of all other groups.
PROGRAMS = {"org.apache.flink": "flink", "org.mvnpm": "assets", "org.webjars": "assets"}


@dataclass(frozen=True, slots=True)
class Jar:
    """One locked artifact."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    @property
    def program(self) -> str:
        """The folder of the program that loads it. The broker and Flink bring classes of their own,
        so their JARs stay apart; `assets` is for browsers."""
        return PROGRAMS.get(self.group, "kafka")

    @property
    def place(self) -> Path:
        return Path(self.program, self.name)


def locked(lock: Path = LOCK) -> list[Jar]:
    """Every JAR of the lock file; raise SetupError if it is damaged."""
    try:
        entries = tomllib.loads(lock.read_text(encoding="utf-8"))["dependencies"]
        return [Jar(e["groupId"], e["artifactId"], e["version"], e["sha256"]) for e in entries]
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise SetupError(f"{lock}: unreadable ({error!r}); restore it from git.") from error


def kafka_classpath(folder: Path = FOLDER) -> str:
    """The class path of the broker; raise SetupError if a JAR is missing."""
    return os.pathsep.join(str(jar) for jar in _present("kafka", folder))


def flink_jars(folder: Path = FOLDER) -> list[Path]:
    """The JARs that a Flink job needs beside Flink itself; raise SetupError if a JAR is missing."""
    return _present("flink", folder)


def asset_jar(artifact: str, folder: Path = FOLDER) -> Path:
    """The JAR with an artifact's files for browsers; raise SetupError if it is missing."""
    return _present("assets", folder, artifact)[0]


def _present(program: str, folder: Path, artifact: str | None = None) -> list[Path]:
    jars = [jar for jar in locked() if jar.program == program]
    paths = [folder / jar.place for jar in jars if artifact in (None, jar.artifact)]
    for path in paths:
        if not path.is_file():
            raise SetupError(f"{path}: not found; run `make setup`.")
    return paths
