"""Where the peers are: the files that say what each needs, its environment, and its command.

The peers import it too: the standard library only.
"""

import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "bench" / "peers"
HOME = ROOT / "var" / "peers"
# What is installed from, and with it what is built.
REQUIREMENTS, JARS, MODULE = "requirements.txt", "jgo.lock.toml", "go.mod"
SOURCES = (REQUIREMENTS, JARS, MODULE, "go.sum", "*.go")


def names() -> list[str]:
    """The peers that need an environment of their own; the others run on the project's."""
    return sorted(folder.name for folder in PEERS.iterdir() if needs(folder.name))


def needs(name: str) -> list[str]:
    """The files of a peer that something is installed from."""
    return [file for file in (REQUIREMENTS, JARS, MODULE) if (PEERS / name / file).is_file()]


def home(name: str) -> Path:
    """The folder of everything that is installed for a peer."""
    return HOME / name


def command(name: str) -> list[str]:
    """The command that starts a peer, to be run in the project's folder."""
    if MODULE in needs(name):
        return [str(binary(name))]
    python = home(name) / "venv" / "bin" / "python"
    own = REQUIREMENTS in needs(name)
    return [str(python) if own else sys.executable, "-m", f"bench.peers.{name}"]


def binary(name: str) -> Path:
    """The program that `go build` writes."""
    return home(name) / name


def jars(name: str) -> list[Path]:
    """The JARs that were fetched for a peer."""
    return sorted((home(name) / "jars").glob("*/*.jar"))


def reason(name: str) -> str | None:
    """Why a peer is unavailable, in one line; None if it is installed."""
    if not needs(name) or _read(stamp(name)) == expected(name):
        return None
    return _read(failure(name)) or f"{name}: not installed; run `{again(name)}`."


def again(name: str) -> str:
    return f"python -m bench.peers.install {name}"


def stamp(name: str) -> Path:
    """The file that says what a peer was installed from; it is written last."""
    return home(name) / "stamp"


def failure(name: str) -> Path:
    """The file that says why a peer could not be installed."""
    return home(name) / "failure"


def expected(name: str) -> str:
    """The content of the stamp: an environment cannot be moved, nor used by another Python."""
    files = sorted(file for pattern in SOURCES for file in (PEERS / name).glob(pattern))
    text = "\0".join(file.read_text(encoding="utf-8") for file in files)
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return f"{ROOT}\n{sys.version_info[:2]}\n{digest}\n"


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""
