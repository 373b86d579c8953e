import pytest

from lib.install import packages


def test_a_missing_venv_module_is_named() -> None:
    assert "apt install python3.11-venv" in packages.no_module("python3", "ensurepip", (3, 11))


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("OSError: [Errno 28] No space left on device", "setup: a disk is full; free 2.5 GB, "),
        ("WARNING: Retrying after connection broken by X", "setup: the package registry cannot"),
        ("SSLError: CERTIFICATE_VERIFY_FAILED", "setup: the package registry's certificate"),
        ("a\nERROR: No matching distribution\n\nhint: b", "setup: ERROR: No matching distribution"),
        ("Killed\n", "setup: Killed; see var/log/setup.log"),
        ("", "setup: no output; see var/log/setup.log"),
    ],
)
def test_a_failure_is_one_line(log: str, line: str) -> None:
    assert packages.explain(log).startswith(line)


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        ("", ""),
        (
            "Collecting a==1 (from x)\n  Downloading a\nCollecting b[c]\n",
            "downloading packages, 2 of 9",
        ),
        ("Collecting a\nBuilding wheels for collected packages: a\n", "building packages"),
        ("Collecting a\nInstalling collected packages: a\n", "installing packages, 5 of 9"),
    ],
)
def test_progress_is_read_from_the_output_of_pip(log: str, shown: str) -> None:
    assert packages.progress(log, 5, 9).startswith(shown)


@pytest.mark.parametrize("tools", [False, True])
def test_each_required_package_is_pinned_to_the_same_version(tools: bool) -> None:
    pins = {line.lower() for line in packages.pinned(tools).splitlines()}
    required = {
        name.replace("[cli]", "").replace("[standard]", "").lower()
        for name in packages.requirements(tools)
    }
    assert required <= pins


def test_the_tools_are_pinned_beside_what_a_run_needs() -> None:
    assert packages.pinned(True).startswith(packages.pinned(False))
    lines = [line for line in packages.pinned(True).splitlines() if "==" in line]
    assert len({line.partition("==")[0].lower() for line in lines}) == len(lines)
    assert not {"pytest", "ruff", "playwright"} & {
        line.partition("==")[0] for line in packages.pinned(False).splitlines()
    }
