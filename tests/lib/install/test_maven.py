"""Fetching JARs from a real HTTP server that holds a Maven repository."""

import gc
import hashlib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import truststore

from lib.errors import SetupError
from lib.install.maven import maven, sync
from lib.jars import Jar

# jgo leaves the answers that it has no use for to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

CONTENT = b"the right bytes"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
BROKER = Jar("org.example", "broker", "1.0", SHA256)
CONNECTOR = Jar("org.apache.flink", "connector", "2.0", SHA256)


class Source:
    """Gives each JAR the same bytes, and keeps the requests."""

    def __init__(self, folder: Path, content: bytes = CONTENT) -> None:
        self.file = folder / "source.jar"
        self.file.write_bytes(content)
        self.requests: list[Jar] = []

    def __call__(self, jar: Jar) -> Path:
        self.requests.append(jar)
        return self.file


def put(folder: Path, source: Source) -> list[str]:
    sync([BROKER, CONNECTOR], folder, source, lambda _: None)
    return sorted(str(path.relative_to(folder)) for path in folder.glob("*/*"))


def test_each_program_has_its_own_folder(tmp_path: Path) -> None:
    names = put(tmp_path / "jars", Source(tmp_path))
    assert names == ["flink/connector-2.0.jar", "kafka/broker-1.0.jar"]


def test_a_jar_in_place_is_not_fetched_again(tmp_path: Path) -> None:
    source = Source(tmp_path)
    put(tmp_path / "jars", source)
    put(tmp_path / "jars", source)
    assert len(source.requests) == 2


def test_a_corrupted_jar_is_replaced(tmp_path: Path) -> None:
    source = Source(tmp_path)
    put(tmp_path / "jars", source)
    damaged = tmp_path / "jars/kafka/broker-1.0.jar"
    damaged.write_bytes(b"the wrong bytes")
    put(tmp_path / "jars", source)
    assert damaged.read_bytes() == CONTENT
    assert len(source.requests) == 3


def test_a_stray_file_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "jars"
    put(folder, Source(tmp_path))
    (folder / "kafka/broker-0.9.jar").write_bytes(b"old")
    (folder / "kafka/broker-1.0.part").write_bytes(b"half")
    assert put(folder, Source(tmp_path)) == ["flink/connector-2.0.jar", "kafka/broker-1.0.jar"]


def test_a_jar_with_another_checksum_is_not_put_in_place(tmp_path: Path) -> None:
    forged = b"forged"
    with pytest.raises(SetupError) as caught:
        sync([BROKER], tmp_path / "jars", Source(tmp_path, forged), lambda _: None)
    assert str(caught.value) == (
        f"broker-1.0.jar: its SHA-256 is {hashlib.sha256(forged).hexdigest()}, jgo.lock.toml says "
        f"{SHA256}; the repository or a proxy gave another file: fix that, then run `make setup`."
    )
    assert list((tmp_path / "jars").glob("*/*")) == []


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Maven repository that holds the broker, named in jgo.conf as a company would."""
    folder = tmp_path / "repository"
    path = folder / "org/example/broker/1.0/broker-1.0.jar"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    (tmp_path / "downloads").mkdir()
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        use_repository(tmp_path, monkeypatch, server.server_port)
        yield folder
        server.shutdown()
    truststore.extract_from_ssl()
    gc.collect()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def use_repository(folder: Path, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    config = folder / "jgo.conf"
    config.write_text(f"[repositories]\ncentral = http://127.0.0.1:{port}\n")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(config))


def test_jars_come_from_the_repository_of_the_users_own_settings(
    repository: Path, tmp_path: Path
) -> None:
    sync([BROKER], tmp_path / "jars", maven(tmp_path / "downloads"), lambda _: None)
    assert (tmp_path / "jars/kafka/broker-1.0.jar").read_bytes() == CONTENT


def test_a_jar_that_no_repository_has_is_named(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"connector-2\.0\.jar: no Maven repository has it;"):
        maven(tmp_path / "downloads")(CONNECTOR)


def test_an_unavailable_repository_is_one_line(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_repository(tmp_path, monkeypatch, port=9)
    with pytest.raises(SetupError, match=r"broker-1\.0\.jar: the Maven repository cannot be reach"):
        maven(tmp_path / "downloads")(BROKER)
