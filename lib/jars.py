"""The JARs: fetched as locked, put in place only with the right checksum.

`jgo lock` in this folder resolves jgo.toml into jgo.lock.toml. `jgo sync` would resolve again and
not look at the checksums, so only its downloads are used: what is locked is what runs.
"""

import hashlib
import logging
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

from lib.errors import SetupError, exit_on_error

LOCK = Path(__file__).resolve().parent / "jgo.lock.toml"
FOLDER = LOCK.parent / "jars"
# Who loads what a group publishes; the broker loads all others.
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
        """Who loads it; the broker and Flink each bring their own classes, so they stay apart, and
        from what browsers load."""
        return PROGRAMS.get(self.group, "kafka")

    @property
    def place(self) -> Path:
        return Path(self.program, self.name)


Fetch = Callable[[Jar], Path]


def locked(lock: Path = LOCK) -> list[Jar]:
    """Every JAR of the lock file; raise SetupError if it is damaged."""
    try:
        entries = tomllib.loads(lock.read_text(encoding="utf-8"))["dependencies"]
        return [Jar(e["groupId"], e["artifactId"], e["version"], e["sha256"]) for e in entries]
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise SetupError(f"{lock}: unreadable ({error!r}); restore it from git.") from error


def kafka_classpath(folder: Path = FOLDER) -> str:
    """What `java -cp` needs for the broker; raise SetupError if a JAR is missing."""
    return os.pathsep.join(str(jar) for jar in _present("kafka", folder))


def flink_jars(folder: Path = FOLDER) -> list[Path]:
    """What a Flink job needs beside Flink itself; raise SetupError if a JAR is missing."""
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


def sync(jars: Sequence[Jar], folder: Path, fetch: Fetch, done: Callable[[Jar], None]) -> None:
    """Make the folder hold exactly these JARs; raise SetupError and link none that is wrong."""
    _remove_strays(jars, folder)
    with ThreadPoolExecutor(max_workers=8) as pool:
        tasks = {pool.submit(_put, jar, folder, fetch): jar for jar in jars}
        try:
            for task in as_completed(tasks):
                task.result()
                done(tasks[task])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _remove_strays(jars: Sequence[Jar], folder: Path) -> None:
    wanted = {folder / jar.place for jar in jars}
    for path in folder.glob("*/*"):
        if path not in wanted:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _put(jar: Jar, folder: Path, fetch: Fetch) -> None:
    place = folder / jar.place
    if place.is_file() and sha256(place) == jar.sha256:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_suffix(".part")
    shutil.copyfile(fetch(jar), part)
    found = sha256(part)
    if found != jar.sha256:
        part.unlink()
        raise SetupError(
            f"{jar.name}: its SHA-256 is {found}, {LOCK.name} says {jar.sha256}; "
            "the repository or a proxy gave another file: mend that, then run `make setup`."
        )
    part.replace(place)


def sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def maven(downloads: Path) -> Fetch:
    """Fetch by jgo from a Maven repository: the ones of the user's jgo.conf, or the central one."""
    # Not at the top: whoever asks for a class path need not wait for them. truststore comes before
    # requests, which then trusts what the system trusts: a company's own CA too.
    import truststore

    truststore.inject_into_ssl()
    import requests
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

    logging.getLogger("jgo").setLevel(logging.CRITICAL)
    repositories = GlobalSettings.load().repositories
    again = Retrying(
        retry=retry_if_exception_type(requests.RequestException),
        stop=stop_after_attempt(3),
        wait=wait_exponential(),
        reraise=True,
    )

    def download(jar: Jar) -> Path:
        # A folder each time: jgo takes what a broken attempt left for the whole file.
        context = MavenContext(repo_cache=Path(tempfile.mkdtemp(dir=downloads)), timeout=30)
        context.remote_repos.update(repositories)
        project = context.project(jar.group, jar.artifact)
        return project.at_version(jar.version).artifact().resolve()

    def fetch(jar: Jar) -> Path:
        try:
            return again(download, jar)
        except requests.RequestException as error:
            raise SetupError(
                f"{jar.name}: the Maven repository cannot be reached ({type(error).__name__}); "
                "check the network and the proxy, then run `make setup`."
            ) from error
        except RuntimeError as error:
            raise SetupError(
                f"{jar.name}: no Maven repository gives it; check [repositories] in jgo.conf, "
                "then run `make setup`."
            ) from error

    return fetch


def main() -> None:
    """Put every locked JAR in place, showing how far it is."""
    jars = locked()
    print(f"setup: {len(jars)} JARs", flush=True)
    with exit_on_error(), Progress(transient=True, disable=not sys.stdout.isatty()) as bar:
        task = bar.add_task("setup: JARs", total=len(jars))
        FOLDER.mkdir(exist_ok=True)
        try:
            with tempfile.TemporaryDirectory(dir=FOLDER) as downloads:
                sync(jars, FOLDER, maven(Path(downloads)), lambda _: bar.advance(task))
        except OSError as error:
            raise SetupError(f"{FOLDER}: {error}; mend that, then run `make setup`.") from error


if __name__ == "__main__":
    main()
