"""What the cases showed: lines for people, and JUnit's XML for other tools."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console

# A longer difference says no more.
MOST_LINES = 20


@dataclass(frozen=True, slots=True)
class Result:
    """A case that was run: without `difference` it passed, with `error` its SQL did not run."""

    title: str
    place: str
    seconds: float
    difference: Sequence[str] = ()
    error: str = ""
    is_updated: bool = False

    @property
    def passed(self) -> bool:
        return not self.difference and not self.error


def line(console: Console, result: Result) -> None:
    """Print a case, with what differs."""
    word = "updated" if result.is_updated else "passed" if result.passed else "FAILED"
    console.print(f"{word:8}{result.title}  ({result.seconds:.1f} s)")
    if result.error:
        console.print(f"        {result.error}")
    for text in result.difference[:MOST_LINES]:
        console.print(f"        {text}")
    if (more := len(result.difference) - MOST_LINES) > 0:
        console.print(f"        and {more} more")


def summary(results: Sequence[Result]) -> str:
    updated = sum(result.is_updated for result in results)
    failed = sum(not result.passed for result in results)
    passed = len(results) - updated - failed
    words = [f"{passed} passed, {failed} failed"] if passed or failed or not updated else []
    return ", ".join(words + [f"{updated} updated"] * bool(updated))


def junit(file: Path, results: Iterable[Result]) -> None:
    """Write the results as JUnit does."""
    results = [*results]
    suite = ElementTree.Element(
        "testsuite",
        name="test-sql",
        tests=str(len(results)),
        failures=str(sum(bool(result.difference) for result in results)),
        errors=str(sum(bool(result.error) for result in results)),
        time=f"{sum(result.seconds for result in results):.3f}",
    )
    for result in results:
        view, _, name = result.title.partition("/")
        case = ElementTree.SubElement(
            suite, "testcase", classname=view, name=name, file=result.place,
            time=f"{result.seconds:.3f}",
        )  # fmt: skip
        if result.error:
            ElementTree.SubElement(case, "error", message=result.error)
        elif result.difference:
            failure = ElementTree.SubElement(case, "failure", message="other rows than expected")
            failure.text = "\n".join(result.difference)
    file.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(suite).write(file, encoding="utf-8", xml_declaration=True)
