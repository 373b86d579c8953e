"""The commands, the answers and the SQL files that the documents show."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tests.conftest import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FILE = re.compile(r"`(sql/[\w./]+\.sql)`:\n+```sql\n(.*?)```", re.DOTALL)
_FENCED = re.compile(r"```.*?```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a document and the lines that are shown below it, if any are."""

    place: str
    text: str
    answer: str


def last_run(benchmark: str = "suite") -> Path:
    """The newest of the stored runs of a benchmark, by default of all."""
    runs = (ROOT / "bench" / "results").glob(f"{benchmark}-*.json")
    return max(runs, key=lambda file: json.loads(file.read_text(encoding="utf-8"))["date"])


def sql_files() -> dict[str, str]:
    """Each SQL file that a document has the reader write, by its path."""
    return {path: text for page in PAGES for path, text in _FILE.findall(page.read_text())}


def write_sql(folder: Path) -> Path:
    """A copy of sql/ with the files that the documents have the reader write."""
    copy = shutil.copytree(ROOT / "sql", folder / "sql")
    for path, text in sql_files().items():
        file = folder / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return copy


def commands() -> list[Command]:
    """Each command in an indented block: all lines of a block without `$`, else the lines with one;
    what follows such a line is its answer."""
    return [command for page in PAGES for block in _blocks(page) for command in _read(*block)]


def _blocks(page: Path) -> Iterator[tuple[str, list[str]]]:
    text = _FENCED.sub(lambda match: "\n" * match[0].count("\n"), page.read_text())
    for is_code, group in groupby(
        enumerate(text.splitlines(), 1), lambda each: each[1][:4] == "    "
    ):
        lines = [*group]
        if is_code:
            yield f"{page.relative_to(ROOT)}:{lines[0][0]}", [line[4:] for _, line in lines]


def _read(place: str, lines: list[str]) -> list[Command]:
    if not any(line.startswith("$ ") for line in lines):
        return [Command(place, line.partition("  # ")[0].strip(), "") for line in lines]
    parts = "\n".join(lines).split("$ ")[1:]
    return [Command(place, *_halves(part)) for part in parts]


def _halves(part: str) -> tuple[str, str]:
    command, _, answer = part.partition("\n")
    return command, answer.rstrip("\n")
