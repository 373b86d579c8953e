"""The embedded broker's address and configuration."""

from pathlib import Path

import msgspec
import pytest

from lib import conf
from lib.errors import SettingsError
from lib.settings import Settings
from local.kafka import address, properties


def at(servers: str) -> Settings:
    config = conf.load(environ={})
    kafka = msgspec.structs.replace(config.kafka, bootstrap_servers=servers)
    return msgspec.structs.replace(config, kafka=kafka)


@pytest.mark.parametrize(
    ("servers", "where"),
    [
        ("127.0.0.1:9092", ("127.0.0.1", 9092)),
        ("localhost:1234,kafka.example:9092", ("localhost", 1234)),
        ("[::1]:9092", ("::1", 9092)),
    ],
)
def test_the_broker_listens_at_the_first_address(servers: str, where: tuple[str, int]) -> None:
    assert address(at(servers)) == where


@pytest.mark.parametrize("servers", ["kafka.example:9092", "0.0.0.0:9092", "localhost", ""])
def test_an_address_beyond_loopback_is_refused(servers: str) -> None:
    with pytest.raises(SettingsError, match="is not a loopback host:port"):
        address(at(servers))


def test_the_configuration_is_the_file_and_the_addresses() -> None:
    lines = properties(at("127.0.0.1:5")).splitlines()
    own = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert own["auto.create.topics.enable"] == "false"
    assert own["listeners"] == "PLAINTEXT://127.0.0.1:5,CONTROLLER://127.0.0.1:9093"
    assert own["log.dirs"].endswith("kafka/log")


def test_a_file_without_a_line_end_at_its_end_keeps_its_last_line_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kafka.properties").write_text("node.id=1")
    text = conf.kafka_properties(tmp_path / "kafka.properties")
    monkeypatch.setattr(conf, "kafka_properties", lambda: text)
    assert "node.id=1" in properties(at("127.0.0.1:5")).splitlines()


def test_ipv6_addresses_keep_their_brackets() -> None:
    assert "advertised.listeners=PLAINTEXT://[::1]:9092" in properties(at("[::1]:9092"))
