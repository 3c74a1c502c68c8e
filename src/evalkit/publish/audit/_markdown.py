"""Markdown that is published: words only. Pictures, raw HTML and anything that loads or runs has no place in it.

Nor has what Quarto alone acts upon (boxes, theorems, diagrams, columns of its own): the same cell would be one thing
from one publisher and another from the other.
"""

from __future__ import annotations

__all__ = ["audit_markdown"]

import json
import re
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import pypandoc

from evalkit.errors import did_you_mean

# The notebooks' own dialect (`DIALECT`), but with blocks of settings, so that one is seen; and without ids that pandoc
# makes of headings, which would be taken for labels.
_READER = "--from=markdown+yaml_metadata_block-tex_math_dollars-raw_tex-example_lists-auto_identifiers"
# A text without any of these holds nothing that pandoc would have to be asked about: no process for it.
_TELLING = re.compile(r"[<{&]|\]\(|!\[|\]:|://|^\s*(?:---|:::)", re.MULTILINE)
_RUN = re.compile(r"^\s*(?:`{3,}|~{3,})\s*\{+\s*(\w[\w-]*)|`\{+(\w+)\}+\s", re.MULTILINE)
# What Quarto numbers, and takes a citation of for a reference. Labels of figures and tables are those of code cells.
_NUMBERED = (
    r"(?:alg|cau|cnj|cor|def|dia|eq|exm|exr|fig|imp|lem|lst|nte|prf|prp|rem|sol|suppfig|supptbl|tbl|thm|tip|vid|wrn)-"
)
_REFERENCE = re.compile(rf"(?<![\w/`\\])@\{{?((?!fig-|tbl-){_NUMBERED}[\w-]+)")
_PANDOCS = ("email", "uri")  # of an address between < and >
_OURS = (
    "absent",
    "annex",
    "caveat",
    "content-hidden",
    "content-visible",
    "contents",
    "finding",
    "help",
    "keep",
    "newpage",
    "note",
)
_FORMATS = ("html", "pdf", "typst")
_SHORTCODE = re.compile(r"\{\{[<%].*?[>%]\}\}", re.DOTALL)
# Others run or load something when a reader clicks (javascript:, data:, file:).
_SCHEMES = frozenset({"", "http", "https", "mailto"})
_ATTRIBUTES = frozenset({"unless-format", "unless-meta", "when-format", "when-meta"})
# Seconds; a cell takes pandoc a fraction of one, and there are texts on which a parser does not end.
_TIMEOUT = 60


@lru_cache(maxsize=512)  # what was read before the run is read again after it
def audit_markdown(text: str) -> str:
    """Say why a Markdown text may not be published: the first reason; empty when there is none.

    What counts is what pandoc reads in it, as both publishers do, not how it is written.

    >>> audit_markdown("Plain *words*, a [link](https://example.org) and 3 < 4.")
    ''
    >>> audit_markdown("![a chart](chart.png)")
    'holds a picture; figures come from report.show'
    >>> audit_markdown("::: proof")
    "uses the class 'proof', which the publishers do not treat alike; take it out"
    """
    # Before pandoc: to it these are plain text, or the first word of a block.
    if problem := _quarto_only(text):
        return problem
    if not _TELLING.search(text):
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            # --sandbox: a text may name files, and reading it must open none.
            [str(pypandoc.get_pandoc_path()), _READER, "--to=json", "--sandbox"],
            input=text,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"holds Markdown that pandoc does not read within {_TIMEOUT} seconds; make it simpler"
    if done.returncode != 0:
        return "holds Markdown that pandoc cannot read"
    tree = json.loads(done.stdout)
    if tree["meta"]:
        return "holds a block of document settings (between lines of '---'); take it out"
    return next((problem for node in _walk(tree["blocks"]) if (problem := _problem(node))), "")


def _quarto_only(text: str) -> str:
    """Say what of a text means something to Quarto that pandoc does not see in it."""
    if match := _RUN.search(text):
        return f"holds code that Quarto would run ('{match[1] or match[2]}'); write it without braces"
    if match := _REFERENCE.search(text):
        return f"refers to '@{match[1]}', which Quarto takes for a number of its own; use another name"
    if _SHORTCODE.search(text):
        return "holds a Quarto shortcode, which can bring in a file; take it out"
    return ""


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
    if kind == "Str" and content.startswith("{#"):  # of a table's caption: Quarto would number that table
        return f"holds '{content}', which is no label here; tables with a label come from report.show"
    if kind in {"Div", "Span", "Header", "Code", "CodeBlock", "Link", "Table"}:
        return _attributes_problem(kind, *(content[1] if kind == "Header" else content[0]))
    return ""


def _attributes_problem(kind: str, identifier: str, classes: list[str], attributes: list[tuple[str, str]]) -> str:
    names = [name for name, _ in attributes if name not in _ATTRIBUTES]
    if names:
        return f"sets the attribute '{names[0]}'; take it out"
    formats = [value for name, value in attributes if name.endswith("-format") and value not in _FORMATS]
    if formats:
        return f"names the format '{formats[0]}', and there are html and pdf{did_you_mean(formats[0], _FORMATS)}"
    if re.match(_NUMBERED, identifier):
        return f"has the label '{identifier}', which Quarto would number; use another name"
    # A block of code may name its language.
    if kind != "CodeBlock" and (others := [name for name in classes if name not in (*_OURS, *_PANDOCS)]):
        hint = did_you_mean(others[0], _OURS)
        return f"uses the class '{others[0]}', which the publishers do not treat alike{hint or '; take it out'}"
    return ""
