"""`python -m local.class_data`: run a broker that makes the archive of the classes it has loaded
when it ends."""

import os
import subprocess
import sys
import tempfile

from lib import class_data, kafka, ports
from lib.conf import ROOT
from lib.errors import exit_on_error
from lib.processes import end_with_parent

# How long its start and its end may take, each, in seconds.
LIMIT = 60.0


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, class_data.making("kafka"):
        broker, controller = ports.free(2)
        address = f"127.0.0.1:{broker}"
        os.environ |= {
            "MILLRACE_DATA_DIR": folder,
            "MILLRACE_KAFKA__BOOTSTRAP_SERVERS": address,
            "MILLRACE_LOCAL__KAFKA_CONTROLLER_PORT": str(controller),
        }
        process = _start("local.kafka")
        try:
            kafka.wait(address, print, LIMIT)
            _start("producer", "--count", "10").wait(LIMIT)
        finally:
            process.terminate()
            process.wait(LIMIT)


def _start(*command: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        preexec_fn=end_with_parent,
    )


if __name__ == "__main__":
    with exit_on_error():
        main()
