"""What the documents say of the repository is so: paths, links, figures. What their commands do is
tested in tests/e2e/test_docs.py."""

import json
import re
from pathlib import Path

import pytest

from bench import figures
from bench.contenders import BASELINE, OURS
from lib import conf
from tests.conftest import ROOT
from tests.documents import PAGES, last_run, sql_files

DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))
DOCUMENTS = [*PAGES, *DECISIONS, ROOT / "CONTRIBUTING.md"]
RESULT = last_run()
# A path of this repository: below one of its folders, without a placeholder.
PATH = re.compile(r"`((?:api|bench|conf|docs|jobs|lib|local|producer|sql|tests)/[\w./-]*)`")
# What a document has the reader or a command make.
MADE = {*sql_files(), "sql/flink/sensors/", "bench/results/"}

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


@each_document
def test_each_path_that_a_document_names_exists(document: Path) -> None:
    names = PATH.findall(document.read_text(encoding="utf-8"))
    assert [name for name in names if name not in MADE and not (ROOT / name).exists()] == []


@each_document
def test_each_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    wrong = []
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        name, _, heading = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        if not target.exists() or (heading and heading not in headings(target)):
            wrong.append(link)
    assert wrong == []


@each_document
def test_each_variable_that_a_document_names_is_a_setting(document: Path) -> None:
    settings = conf.load(environ={})
    for name in re.findall(r"\bMILLRACE_([A-Z_]+)", document.read_text(encoding="utf-8")):
        group, _, key = name.lower().partition("__")
        found = getattr(settings, group)
        # The settings of rules have names of the user's own.
        assert not key or (key in found if isinstance(found, dict) else hasattr(found, key)), name


def test_a_second_stack_shares_no_port_with_the_first() -> None:
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    own = dict(re.findall(r"^export (MILLRACE_\w+)=(.+)$", text, re.MULTILINE))
    first, second = (conf.load(environ=environ).variables() for environ in ({}, own))
    ports = [name for name in first if name.endswith(("_PORT", "_SERVERS"))]
    assert len(ports) == 5 and [name for name in ports if first[name] == second[name]] == []


def headings(page: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them of its headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_readme_is_two_screens() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 130


def test_each_page_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = [str(page.relative_to(ROOT)) for page in PAGES[1:]]
    assert [page for page in pages if f"({page})" not in readme] == []


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_each_decision_has_a_status_a_date_and_alternatives(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")
    number = int(decision.name[:4])
    assert re.match(
        rf"# {number}\. .+\n\nStatus: (accepted|superseded by \d+), \d{{4}}-\d\d-\d\d\n", text
    )
    assert "\n**Alternatives.** " in text and "\n**Decision.** " in text and "\n**Why" in text


def test_the_figures_of_the_readme_are_those_of_the_last_stored_run() -> None:
    run = json.loads(RESULT.read_text(encoding="utf-8"))
    assert {"date", "commit", "cpu", "cores", "versions"} <= run.keys()
    readme = (ROOT / "README.md").read_text(encoding="utf-8").replace("\n", " ")
    assert f"({RESULT.relative_to(ROOT)})" in readme
    rate = figures.middle(figures.of(figures.drained(run, OURS), "rate"))
    ours, loop, spark = (
        figures.delay(run, name, 1_000, "p50_ms") for name in (OURS, BASELINE, "spark")
    )
    assert rate and ours and loop and spark
    assert f"{round(rate, -3):,.0f} a second" in readme
    assert f"after {ours:.0f} ms, with the loop after {loop:.0f} ms" in readme
    assert f"with Spark after {spark / 1000:.1f} s" in readme
    by_defaults = figures.rate_ratio(run, OURS, "loop-defaults")
    by_loop = figures.rate_ratio(run, OURS)
    assert by_defaults and by_loop
    assert f"{by_defaults:.1f} times a loop" in readme and f"{by_loop:.1f} of the same" in readme
