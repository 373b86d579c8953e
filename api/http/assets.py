"""What browsers load that is not ours: read from the JARs once, at start."""

import zipfile
import zlib
from pathlib import Path

from api.http.static_files import File, file
from lib import jars
from lib.errors import SetupError

# Of each JAR, what /assets/ has; the rest of it stays inside. All are under Apache-2.0.
NAMES = {
    "echarts": ("dist/echarts.esm.min.js",),
    "swagger-ui": ("swagger-ui-bundle.js", "swagger-ui.css"),
}


def load(folder: Path = jars.FOLDER) -> dict[str, File]:
    """Each file by its name; raise SetupError if a JAR is missing or damaged."""
    found = {}
    for artifact, names in NAMES.items():
        jar = jars.asset_jar(artifact, folder)
        for name in names:
            found[Path(name).name] = file(name, _read(jar, name))
    return found


def _read(jar: Path, name: str) -> bytes:
    """The one entry with this name, whatever version its folder is named after."""
    try:
        with zipfile.ZipFile(jar) as archive:
            (entry,) = (entry for entry in archive.namelist() if entry.endswith(f"/{name}"))
            return archive.read(entry)
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise SetupError(
            f"{jar}: {name} cannot be read ({error}); delete the JAR, then run `make setup`."
        ) from error
