"""Files from the JARs."""

import zipfile
from pathlib import Path

import pytest

from api.http import assets
from lib import jars
from lib.errors import SetupError


def test_a_damaged_jar_is_named(tmp_path: Path) -> None:
    jar = tmp_path / jars.asset_jar("echarts").relative_to(jars.FOLDER)
    jar.parent.mkdir()
    jar.write_bytes(b"cut")
    with pytest.raises(SetupError, match=r"echarts-.+\.jar: .+ delete the JAR, then run `make se"):
        assets.load(tmp_path)
    with zipfile.ZipFile(jar, "w"):
        pass
    with pytest.raises(SetupError, match=r"echarts\.esm\.min\.js cannot be read"):
        assets.load(tmp_path)
