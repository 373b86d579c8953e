"""`python -m local.kafka`: format the broker's folder on the first start, and become the broker."""

import os
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from lib import class_data, conf, jars, java, ports
from lib.errors import SettingsError, SetupError, exit_on_error, one_line
from lib.settings import Settings


def address(config: Settings) -> tuple[str, int]:
    """The embedded broker's host and port; raise SettingsError unless they are of loopback."""
    first = config.kafka.bootstrap_servers.split(",")[0].strip()
    host, _, port = first.rpartition(":")
    if not ports.is_loopback(first) or not port.isdigit():
        raise SettingsError(
            f"kafka.bootstrap_servers: {first} is not a loopback host:port; the embedded broker "
            "listens only there, and a broker elsewhere needs no `make up`."
        )
    return host.strip("[]"), int(port)


def properties(config: Settings) -> str:
    """The broker's whole configuration."""
    host, port = address(config)
    broker = ports.address(host, port)
    controller = ports.address(host, config.local.kafka_controller_port)
    own = {
        "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{broker}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "controller.quorum.voters": f"1@{controller}",
        "log.dirs": str(folder(config) / "log"),
    }
    lines = [conf.kafka_properties(), *(f"{key}={value}" for key, value in own.items())]
    return "\n".join(lines) + "\n"


def folder(config: Settings) -> Path:
    return config.data_dir / "kafka"


def main() -> None:
    """Write the configuration, format the folder if it is new, and become the broker."""
    config = conf.load()
    file = folder(config) / "server.properties"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(properties(config), encoding="utf-8")
    home = java.java_home()
    command = [
        str(home / "bin" / "java"),
        f"-Xmx{config.local.kafka_heap}",
        *java.keeps_files(_new_temporary(config), config.data_dir / "log"),
        "-Dlog4j2.level=INFO",
        "-cp",
        jars.kafka_classpath(),
    ]
    if not (folder(config) / "log" / "meta.properties").exists():
        _format(command, file)
    archived = class_data.options("kafka", home)
    os.execv(command[0], [command[0], *archived, *command[1:], "kafka.Kafka", str(file)])


def _new_temporary(config: Settings) -> Path:
    """An empty folder that only the broker uses."""
    temporary = folder(config) / "tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    return temporary


def _format(command: list[str], file: Path) -> None:
    name = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    tool = ["kafka.tools.StorageTool", "format", f"--cluster-id={name}", "-c", str(file)]
    done = subprocess.run(
        [command[0], java.SHORT_LIVED, *command[1:], *tool],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SetupError(
            f"{file.parent}: cannot be formatted for Kafka: {one_line(done.stderr)[-300:]}; "
            "fix that, or move the folder away to begin with an empty one."
        )


if __name__ == "__main__":
    with exit_on_error():
        main()
