"""Markdown that is published: words only. Pictures, raw HTML and anything that loads or runs has no place in it."""

from __future__ import annotations

__all__ = ["audit_markdown"]

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pypandoc

_READER = "--from=markdown+yaml_metadata_block-tex_math_dollars-raw_tex-example_lists"
_TELLING = re.compile(r"[<{&]|\]\(|!\[|\]:|://|^\s*---", re.MULTILINE)
_SHORTCODE = re.compile(r"\{\{[<%].*?[>%]\}\}", re.DOTALL)
_SCHEMES = frozenset({"", "http", "https", "mailto"})
_ATTRIBUTES = frozenset({"unless-meta", "when-format", "when-meta"})
_TIMEOUT = 60


def audit_markdown(text: str) -> str:
    """Say why a Markdown text may not be published.

    What counts is what pandoc reads in it, as both publishers do, not how it is written.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        The first reason; empty when there is none.

    Examples
    --------
    >>> audit_markdown("Plain *words*, a [link](https://example.org) and 3 < 4.")
    ''
    >>> audit_markdown("![a chart](chart.png)")
    'holds a picture; figures come from report.show'
    """
    if not _TELLING.search(text):
        return ""
    if _SHORTCODE.search(text):
        return "holds a Quarto shortcode, which can bring in a file; take it out"
    done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
        [str(pypandoc.get_pandoc_path()), _READER, "--to=json", "--sandbox"],
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=_TIMEOUT,
        check=False,
    )
    if done.returncode != 0:
        return "holds Markdown that pandoc cannot read"
    tree = json.loads(done.stdout)
    if tree["meta"]:
        return "holds a block of document settings (between lines of '---'); take it out"
    return next((problem for node in _walk(tree["blocks"]) if (problem := _problem(node))), "")


def _walk(node: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - pandoc's tree
    if isinstance(node, list):
        for child in node:
            yield from _walk(child)
    elif isinstance(node, dict):
        if "t" in node:
            yield node
        yield from _walk(node.get("c", []))


def _problem(node: dict[str, Any]) -> str:
    kind, content = node["t"], node.get("c", [])
    if kind in {"RawBlock", "RawInline"}:
        what = "an HTML comment" if content[1].lstrip().startswith("<!--") else f"raw {content[0]}"
        return f"holds {what}; Markdown's own signs are enough"
    if kind == "Image":
        return "holds a picture; figures come from report.show"
    if kind == "Link" and urlsplit(content[2][0]).scheme.lower() not in _SCHEMES:
        return "holds a link that is no web address"
    if kind in {"Div", "Span", "Header", "Code", "CodeBlock", "Link", "Table"}:
        attributes = content[1] if kind == "Header" else content[0]
        names = [name for name, _ in attributes[2] if name not in _ATTRIBUTES]
        if names:
            return f"sets the attribute '{names[0]}'; take it out"
    return ""
