"""Whether a web page stands by itself: it must load nothing from the network."""

from __future__ import annotations

__all__ = ["check_self_contained", "remote_loads", "strip_scripts"]

import re
from html.parser import HTMLParser
from pathlib import Path

from evalkit.errors import PublicationError

_LOADING = {"src", "srcset", "poster", "data", "background"}
_REMOTE = re.compile(r"^\s*(?:https?:)?//", re.IGNORECASE)
_CSS_LOAD = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])\s*((?:https?:)?//[^'\")\s]+)", re.IGNORECASE)
_SCRIPT = re.compile(r"<script\b[^>]*>.*?</script\s*>\s*", re.IGNORECASE | re.DOTALL)


class _Loads(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        for name, value in attrs:
            text = value or ""
            loads = name in _LOADING or (name == "href" and tag in {"link", "use", "image"})
            if loads and _REMOTE.match(text):
                self.found.append(f"<{tag} {name}>")
            if name == "style":
                self.found += [f"<{tag} style>" for _ in _CSS_LOAD.findall(text)]

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.found += ["<style>" for _ in _CSS_LOAD.findall(data)]

    def handle_endtag(self, tag: str) -> None:
        if tag == "style":
            self._in_style = False


def remote_loads(text: str) -> list[str]:
    """List the places where a page would load something from the network.

    Parameters
    ----------
    text : str
        The page.

    Returns
    -------
    list of str
        Tag and attribute of each; links a reader may follow are no loads.

    Examples
    --------
    >>> remote_loads('<img src="https://example.org/x.png"><a href="https://example.org">see</a>')
    ['<img src>']
    """
    parser = _Loads()
    parser.feed(text)
    return parser.found


def strip_scripts(text: str) -> str:
    """Take script tags out of a page: our pages need no scripts at all.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> strip_scripts('a<script src="https://cdn.example/r.js"></script><script>1 < 2</script>b')
    'ab'
    """
    return _SCRIPT.sub("", text)


def check_self_contained(page: Path) -> None:
    """Refuse a page that would load something from the network.

    Parameters
    ----------
    page : pathlib.Path

    Raises
    ------
    PublicationError
        Naming the first tag that would.
    """
    found = remote_loads(page.read_text(encoding="utf-8"))
    if found:
        msg = f"{page.name}: loads from the network at {found[0]} ({len(found)} places); a published page must not"
        raise PublicationError(msg)
