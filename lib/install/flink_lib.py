"""Gather Flink's JARs in one folder, with its planner on the class path.

The package has the planner inside of a JAR that unpacks it, 46 MB, at each start, and loads it by
a class loader whose classes no archive can hold.
https://nightlies.apache.org/flink/flink-docs-release-2.3/docs/dev/configuration/advanced/
"""

import importlib.util
import shutil
import zipfile
from pathlib import Path

from lib.errors import SetupError
from lib.install.place import SETUP
from lib.jars import FLINK_LIB

_LOADER = "flink-table-planner-loader-*.jar"
_PLANNER = "flink-table-planner.jar"


def gather(folder: Path = FLINK_LIB) -> None:
    """Create the folder, in the place of an earlier one; raise SetupError unless the package has
    one planner."""
    spec = importlib.util.find_spec("pyflink")
    package = Path(spec.origin).parent / "lib" if spec and spec.origin else Path()
    loaders = [*package.glob(_LOADER)]
    if len(loaders) != 1:
        raise SetupError(f"{package}: {len(loaders)} {_LOADER}; run `make clean {SETUP.name}`.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for jar in package.glob("*.jar"):
        if jar != loaders[0]:
            (folder / jar.name).symlink_to(jar)
    with zipfile.ZipFile(loaders[0]) as loader:
        loader.extract(_PLANNER, folder)
