"""Flink's Java alone: where it unpacks files, and what its end means."""

import gc
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from py4j.java_gateway import GatewayParameters, JavaGateway
from pyflink.java_gateway import get_gateway

from jobs.flink import gateway, watch
from lib import class_data
from lib.errors import JobError, RestartError
from lib.processes import is_alive
from tests.conftest import wait_until


def test_java_unpacks_into_a_folder_that_goes_with_it_however_it_ends(tmp_path: Path) -> None:
    data = tmp_path / """it's "a" place"""
    with (
        pytest.raises(
            RestartError, match=r"^Flink's Java ended; see .+; the job goes on from its "
        ),
        gateway.running(data, "j", {}) as java,
    ):
        java.check()
        port = int(os.environ["PYFLINK_GATEWAY_PORT"])
        jvm = JavaGateway(gateway_parameters=GatewayParameters(port=port)).jvm
        temporary = Path(jvm.java.lang.System.getProperty("java.io.tmpdir"))
        assert temporary.is_dir() and temporary.parent == data / "run" / "flink"
        pid = int(jvm.java.lang.ProcessHandle.current().pid())
        os.kill(pid, signal.SIGKILL)
        # Requests fail, and the reason is its end.
        wait_until(lambda: jvm.java.lang.System.nanoTime() is None)
    assert list((data / "run" / "flink").iterdir()) == []
    assert "PYFLINK_GATEWAY_PORT" not in os.environ


def test_java_maps_the_archive_of_its_classes(tmp_path: Path) -> None:
    with gateway.running(tmp_path, "j", {}):
        pid = int(get_gateway().jvm.java.lang.ProcessHandle.current().pid())
        assert str(class_data.file("flink")) in Path(f"/proc/{pid}/maps").read_text()


def test_java_starts_without_an_archive_that_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = tmp_path / "archives" / "flink.jsa"
    damaged.parent.mkdir()
    content = bytearray(class_data.file("flink").read_bytes())
    # Beyond its header, whose damage Java always notices: it would follow these as addresses.
    content[len(content) // 8 :: 4_096] = bytes([0xFF]) * len(content[len(content) // 8 :: 4_096])
    damaged.write_bytes(content)
    monkeypatch.setattr(class_data, "FOLDER", damaged.parent)
    with gateway.running(tmp_path, "j", {}):
        pid = int(get_gateway().jvm.java.lang.ProcessHandle.current().pid())
        assert str(damaged) not in Path(f"/proc/{pid}/maps").read_text()


def test_a_java_that_does_not_answer_is_killed(tmp_path: Path) -> None:
    with gateway.running(tmp_path, "j", {}) as java:
        # As PyFlink does, which the Java calls back all the time.
        jvm = get_gateway().jvm
        pid = int(jvm.java.lang.ProcessHandle.current().pid())
        unused: list[Any] = [jvm.java.util.ArrayList()]
        unused.append(unused)
        java.settle()
        del unused
        os.kill(pid, signal.SIGSTOP)
        gc.collect()
    assert not is_alive(pid)


def test_a_java_that_is_frozen_is_killed_while_a_call_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "ASK_EVERY", 0.05)
    monkeypatch.setattr(watch, "ANSWER_LIMIT", 0.5)
    with (
        pytest.raises(
            RestartError, match=r"^Flink's Java did not answer 3 times in a row, and was killed; "
        ),
        gateway.running(tmp_path, "j", {}),
    ):
        jvm = get_gateway().jvm
        pid = int(jvm.java.lang.ProcessHandle.current().pid())
        # It answers for now.
        jvm.java.lang.Thread.sleep(500)
        os.kill(pid, signal.SIGSTOP)
        # It may answer until the signal has reached it.
        for _ in range(1_000):
            jvm.java.lang.System.nanoTime()
    assert not is_alive(pid)


def test_a_java_that_refuses_its_options_is_reported_with_its_message(tmp_path: Path) -> None:
    with (
        pytest.raises(JobError) as error,
        gateway.running(tmp_path, "j", {"env.java.opts.all": "-Xmx1"}),
    ):
        pytest.fail("it started")
    assert str(error.value).startswith(
        "conf/flink.yaml: Flink's Java does not start: Error occurred during initialization of VM "
    )
    assert (error.value.status, list((tmp_path / "run" / "flink").iterdir())) == (2, [])
