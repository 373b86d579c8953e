"""Third-party files for browsers, read from the JARs once, at start."""

import zipfile
import zlib
from pathlib import Path

from api.http.static_files import File, make_file
from lib import jars
from lib.errors import SetupError

# The files of each JAR that /assets/ serves. All are under Apache-2.0.
NAMES = {
    "echarts": ("dist/echarts.esm.min.js",),
    "swagger-ui": ("swagger-ui-bundle.js", "swagger-ui.css"),
}


def load(folder: Path = jars.FOLDER) -> dict[str, File]:
    """Each file by its name; raise SetupError if a JAR is missing or damaged."""
    files = {}
    for artifact, names in NAMES.items():
        jar = jars.asset_jar(artifact, folder)
        for name in names:
            files[Path(name).name] = make_file(name, _read(jar, name))
    return files


def _read(jar: Path, name: str) -> bytes:
    """The only entry with this name, in a folder named after any version."""
    try:
        with zipfile.ZipFile(jar) as archive:
            (entry,) = (entry for entry in archive.namelist() if entry.endswith(f"/{name}"))
            return archive.read(entry)
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise SetupError(
            f"{jar}: {name} cannot be read ({error}); delete the JAR, then run `make setup`."
        ) from error
