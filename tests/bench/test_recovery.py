"""What the starts are timed by."""

import os
from pathlib import Path

from bench import recovery


def test_a_price_is_recognized_in_the_output_of_a_demo() -> None:
    assert recovery.PRICE.search("    latest | AAPL 190.05  AMZN 178.10")
    assert recovery.PRICE.search("    latest | NVDA 1,720.00")
    assert not recovery.PRICE.search("    latest | no ticks yet")
    assert not recovery.PRICE.search("       job | RUNNING  in 7/s  latest 1.0")


def test_files_are_left_as_they_are_when_their_pages_are_dropped(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(b"x" * 10_000)
    os.symlink(tmp_path / "none", tmp_path / "broken")
    recovery.forget(tmp_path)
    assert (tmp_path / "folder" / "file").read_bytes() == b"x" * 10_000
