"""`python -m bench.peers.install [NAME...]`: installs what the peers need below var/peers/.

Each has its own folder there: an environment from its requirements.txt, the JARs that its
jgo.lock.toml locks, and the program that `go build` makes of its go.mod.
"""

import os
import re
import shutil
import sys
import time
from collections.abc import Iterable

import click

from bench.peers import places
from bench.peers.places import JARS, MODULE, PEERS, REQUIREMENTS, reason
from lib import jars
from lib.errors import SetupError, did_you_mean
from lib.install import maven, packages
from lib.install.place import Place, only_one


@click.command()
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...]) -> None:
    """Install the peers NAMES, or all; a second run does nothing.

    A peer that cannot be installed says why in one line, and the rest goes on. The exit status is 2
    if one that was named could not be.
    """
    known = places.names()
    for name in names:
        if name not in known:
            raise click.UsageError(f"{name} is no peer to install; {did_you_mean(name, known)}")
    failed = install_all(names or known)
    sys.exit(2 if names and failed else 0)


def install_all(names: Iterable[str]) -> list[str]:
    """Install each peer that is not; print why one cannot be, and return the names of those."""
    failed = []
    for name in names:
        try:
            install(name)
        except SetupError as error:
            places.failure(name).write_text(str(error), encoding="utf-8")
            click.echo(error, err=True)
            failed.append(name)
    return failed


def install(name: str) -> None:
    """Install a peer unless it is; raise SetupError if it cannot be."""
    if reason(name) is None:
        return
    place = place_of(name)
    with only_one(place) as lock:
        if reason(name) is None:
            return
        places.stamp(name).unlink(missing_ok=True)
        places.failure(name).unlink(missing_ok=True)
        place.log.write_text("", encoding="utf-8")
        start = time.monotonic()
        steps = {REQUIREMENTS: install_packages, JARS: fetch_jars, MODULE: build}
        for file in places.needs(name):
            steps[file](name, place, lock)
        places.stamp(name).write_text(places.expected(name), encoding="utf-8")
        click.echo(f"{name}: done in {packages.clock(start)}.")


def place_of(name: str) -> Place:
    home = places.home(name)
    return Place(name, home / "venv", home / "install.log", places.again(name))


def install_packages(name: str, place: Place, lock: int) -> None:
    """Make an environment that holds exactly what the requirements pin."""
    file = PEERS / name / REQUIREMENTS
    packages.make_venv(lock, place)
    temporary = place.venv / "tmp"
    temporary.mkdir()
    pip = [str(place.python), "-m", "pip", "install", "--no-input", "--no-compile"]
    total = len(re.findall("==", file.read_text(encoding="utf-8")))
    environment = packages.pip_environment(temporary)
    # The project's versions are not those of a peer; the build tools are.
    del environment["PIP_CONSTRAINT"]
    packages.run(
        [*pip, "--requirement", str(file)], lock, environment, "asking for packages", total, place
    )
    shutil.rmtree(temporary, ignore_errors=True)


def fetch_jars(name: str, place: Place, lock: int) -> None:
    maven.fetch_all(jars.locked(PEERS / name / JARS), places.home(name) / "jars", place)


def build(name: str, place: Place, lock: int) -> None:
    """Build the Go program, with the modules that go.sum pins."""
    go = shutil.which("go")
    if go is None:
        raise SetupError(f"{name}: Go is not on PATH; install it, then run `{place.command}`.")
    command = [go, "build", "-C", str(PEERS / name), "-o", str(places.binary(name)), "."]
    packages.run(command, lock, dict(os.environ), "building the Go program", 0, place)


if __name__ == "__main__":
    main()
