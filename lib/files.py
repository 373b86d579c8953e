"""Paths as errors show them, and files that are written in one step."""

from pathlib import Path


def replace(file: Path, text: str) -> None:
    """Write a file in one step: until then, and if writing fails, it has its old text."""
    new = file.with_name(f"{file.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


def show(path: Path) -> str:
    """A path as errors show it: relative to the current folder if it lies below."""
    cwd = Path.cwd()
    return str(path.relative_to(cwd)) if path.is_relative_to(cwd) else str(path)
