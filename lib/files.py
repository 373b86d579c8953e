"""Small files that are there whole, whenever a program is killed."""

from pathlib import Path


def replace(file: Path, text: str) -> None:
    """Write a file in one step: until then, and if writing fails, it has its old text."""
    new = file.with_name(f"{file.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)
