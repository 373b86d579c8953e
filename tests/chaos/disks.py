"""Small file systems that can be full: tmpfs in a mount namespace of this program's own."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_ENTERED = "CHAOS_HAS_MOUNTS"
# They vanish with the last process in it; root is one only in this namespace.
_NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
_SIZE = "512m"


def enter() -> None:
    """Run this program again in a mount namespace, if this machine lets it have one."""
    if _ENTERED in os.environ:
        return
    allowed = subprocess.run(
        [*_NAMESPACE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True
    )
    os.environ[_ENTERED] = "" if allowed.returncode else "1"
    if not allowed.returncode:
        os.execvp(_NAMESPACE[0], [*_NAMESPACE, *sys.orig_argv])


def can_mount() -> bool:
    return bool(os.environ.get(_ENTERED))


class Disk:
    """A file system of its own at a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "none", str(folder)]
        subprocess.run(command, check=True)
        self._folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no space at all."""
        with self._ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(1 << 20))

    def clear(self) -> None:
        self._ballast.unlink()

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self._folder)], check=True)
