"""Which scripts the dashboard names to the browser; read from its files, without one."""

from html.parser import HTMLParser

from tests.conftest import ROOT

STATIC = ROOT / "api" / "static"


class Scripts(HTMLParser):
    """The scripts that a page loads at once, or names to be loaded early."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script":
            self.found.append(given["src"] or "")
        elif given.get("rel") == "modulepreload":
            self.found.append(given["href"] or "")


def test_every_module_is_loaded_early() -> None:
    """Without the list a browser would find modules one after the other."""
    listed = Scripts((STATIC / "index.html").read_text(encoding="utf-8")).found
    # It has only types.
    modules = {file for file in STATIC.rglob("js/**/*.js") if file.name != "types.js"}
    assert sorted(listed) == sorted(f"/static/{file.relative_to(STATIC)}" for file in modules)
