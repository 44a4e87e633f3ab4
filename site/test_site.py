"""No page of target/site loads anything from another host."""

import html.parser
import re
from pathlib import Path

import pytest

SITE = Path(__file__).resolve().parent.parent / "target" / "site"
PAGES = sorted(SITE.rglob("*.html"))


class Loaded(html.parser.HTMLParser):
    """The addresses that a browser loads with a page."""

    def __init__(self):
        super().__init__()
        self.addresses = []

    def handle_starttag(self, tag, attrs):
        if tag != "a":
            self.addresses += [value for name, value in attrs if name in ("src", "srcset", "data", "href") and value]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(SITE).as_posix())
def test_page_loads_nothing_from_another_host(page):
    text = page.read_text()
    loaded = Loaded()
    loaded.feed(text)
    loaded.addresses += re.findall(r"url\(\s*['\"]?([^'\")]+)", text)
    assert loaded.addresses
    assert not [it for it in loaded.addresses if re.match(r"(https?:)?//", it)]


@pytest.mark.parametrize("sheet", sorted(SITE.rglob("*.css")), ids=lambda sheet: sheet.name)
def test_style_sheet_loads_nothing_from_another_host(sheet):
    assert not re.findall(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//[^'\")]+", sheet.read_text())
