"""The configuration of supervisord: values with a percent sign, and the path of the socket."""

import tempfile
from pathlib import Path

import pytest

from lib.errors import SetupError
from local.supervisor import Supervisor
from local.supervisord_conf import Files, Program, configuration


def test_a_percent_sign_in_a_value_is_escaped() -> None:
    program = Program("job", ["run", "50%"], 10)
    conf = configuration([program], Files(Path("/data")), attached=False)
    assert conf["program:job"]["command"].endswith('"/data/run/job.starts" "run" "50%%"')
    assert conf["program:job"]["stdout_logfile"] == "/data/log/job.log"


@pytest.mark.parametrize("name", ["50%", 'a"b'])
def test_a_folder_that_the_configuration_cannot_hold_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SetupError, match=r" has a % or a quote in it; take another\.$"):
        Supervisor(tmp_path / name).launch([], attached=True)


def test_a_long_path_moves_the_socket_to_the_temporary_folder() -> None:
    assert Files(Path("/data")).socket == Path("/data/run/supervisor.sock")
    sockets = {Files(Path("/" + "d" * 100 + number)).socket for number in "12"}
    assert len(sockets) == 2 and all(len(str(socket)) < 100 for socket in sockets)


def test_a_long_temporary_folder_does_not_get_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/" + "t" * 80)
    socket = Files(Path("/" + "d" * 100)).socket
    assert socket.parent == Path("/tmp")
    monkeypatch.setattr(tempfile, "tempdir", "/t")
    assert Files(Path("/" + "d" * 100)).socket == Path("/t") / socket.name
