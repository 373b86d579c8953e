"""The scripts that the dashboard preloads; read from its files, without a browser."""

from html.parser import HTMLParser

from tests.conftest import ROOT

STATIC = ROOT / "api" / "static"


class Scripts(HTMLParser):
    """The scripts that a page loads or preloads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "script":
            self.addresses.append(values["src"] or "")
        elif values.get("rel") == "modulepreload":
            self.addresses.append(values["href"] or "")


def test_every_module_is_preloaded() -> None:
    """Without the list a browser would discover the modules one after the other."""
    listed = Scripts((STATIC / "index.html").read_text(encoding="utf-8")).addresses
    # types.js has only types.
    modules = {file for file in STATIC.rglob("js/**/*.js") if file.name != "types.js"}
    assert sorted(listed) == sorted(f"/static/{file.relative_to(STATIC)}" for file in modules)
