"""Check the built site without a network: links, anchors, reachable pages, and that nothing is loaded from elsewhere.

    .venv/bin/python docs/check_site.py build/site

Prints one line for each fault, and exits with 1 if there are any.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: What a browser loads by itself, by element and attribute. `a` is followed only on a click.
LOADED = {
    *(("img", "src"), ("script", "src"), ("iframe", "src"), ("source", "src"), ("video", "src"), ("audio", "src")),
    *(("link", "href"), ("object", "data"), ("embed", "src"), ("image", "href"), ("use", "href")),
}
IN_STYLE = re.compile(r"""@import\s+(?:url\()?["']?([^"')\s;]+)|url\(\s*["']?([^"')\s]+)""")
NOT_A_PAGE = {"genindex.html", "search.html", "py-modindex.html"}


class Page(HTMLParser):
    """The anchors of one page, the addresses that it links to, and those that it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self._in_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if not value:
                continue
            if name == "id" or (tag, name) == ("a", "name"):
                self.anchors.add(value)
            elif (tag, name) == ("a", "href"):
                self.links.append(value)
            elif (tag, name) in LOADED:
                self.loads.append(value)
            elif name == "style":
                self.loads += in_style(value)
        if tag == "meta" and (refresh := dict(attrs)).get("http-equiv") == "refresh":
            self.links.append((refresh["content"] or "").partition("url=")[2])
        self._in_style = tag == "style"

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.loads += in_style(data)


#: Stands for a file that is not a page, such as a picture: it has no anchors.
NO_PAGE = Page("")


def in_style(text: str) -> list[str]:
    """Return the addresses that a style sheet loads."""
    return [first or second for first, second in IN_STYLE.findall(text)]


def faults(site: Path) -> Iterator[str]:
    """Yield a sentence for each fault of the site in a folder."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    if not pages:
        yield f"{site}: there is no page."
    reached: set[Path] = set()
    waiting = [site / "index.html"]
    while waiting:
        path = waiting.pop()
        if path in reached or path not in pages:
            continue
        reached.add(path)
        waiting += [target for link in pages[path].links if (target := local(path, link))]
    for path, page in pages.items():
        name = path.relative_to(site)
        if path not in reached and name.name not in NOT_A_PAGE:
            yield f"{name}: no link leads to this page."
        for address in page.loads:
            yield from load_faults(site, path, address)
        for link in page.links:
            target = local(path, link)
            if target is None:
                continue
            if not target.exists():
                yield f"{name}: the link {link} leads to nothing."
            elif (anchor := unquote(urlsplit(link).fragment)) and anchor not in pages.get(target, NO_PAGE).anchors:
                yield f"{name}: the link {link} names an anchor that the page does not have."
    for path in sorted(site.rglob("*.css")):
        for address in in_style(path.read_text(encoding="utf-8")):
            yield from load_faults(site, path, address)


def load_faults(site: Path, path: Path, address: str) -> Iterator[str]:
    """Yield what is wrong with something that a page or a style sheet loads."""
    name = path.relative_to(site)
    if urlsplit(address).scheme not in ("", "data") or address.startswith("//"):
        yield f"{name}: {address} is loaded from a network."
    elif (target := local(path, address)) and not target.exists():
        yield f"{name}: {address} is loaded, and is not there."


def local(path: Path, address: str) -> Path | None:
    """Return the file that an address on a page means; None for an address elsewhere."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    return target / "index.html" if target.is_dir() else target


if __name__ == "__main__":
    sentences = [*faults(Path(sys.argv[1]).resolve())]
    print("\n".join(sentences) or "All links resolve, all pages are reachable, and nothing is loaded from a network.")
    sys.exit(bool(sentences))
