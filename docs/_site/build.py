"""Builds the documentation site into build/docs; `make docs` runs it, strictly and without the network.

The pages of docs/ are copied beside those that are made: a page per public module, the top folder's GLOSSARY, CHANGELOG
and CONTRIBUTING, the list of decisions, and the table of errors. Nothing is written into docs/.
"""

from __future__ import annotations

import importlib
import json
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

from sphinx.cmd.build import main as sphinx

from evalkit import stats

ROOT = Path(__file__).resolve().parents[2]
SOURCE, SITE = ROOT / "build/docs-source", ROOT / "build/docs"
# A repository's visitors look for these in the top folder, a site's readers beside the other pages.
TOP = {"glossary.md": "GLOSSARY.md", "changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md"}
# Modules that a researcher or a program of one's own calls, in the order in which they are met.
MODULES = (
    "evalkit",
    "evalkit.report",
    "evalkit.analyses",
    "evalkit.stats",
    "evalkit.estimates",
    "evalkit.counts",
    "evalkit.cohort",
    "evalkit.intake",
    "evalkit.protocol",
    "evalkit.periods",
    "evalkit.disclosure",
    "evalkit.publish",
    "evalkit.site",
    "evalkit.simulate",
    "evalkit.examples",
    "evalkit.glossary",
    "evalkit.errors",
)
ERRORS, GOLDEN = "<!-- every error -->", "<!-- golden values -->"

COHORT = """```text
from datetime import date
from evalkit.cohort import build
from evalkit.intake import open_data
from evalkit.protocol import load_study

cohort = build(open_data(load_study("params/study.yaml")).at(date(2023, 12, 31)))
```"""


def pages() -> dict[str, str]:
    """Return every page that is not an image, by its place in the site."""
    docs = ROOT / "docs"
    found = {str(file.relative_to(docs)): _inside(file.read_text(encoding="utf-8")) for file in docs.rglob("*.md")}
    found |= {page: _from_top((ROOT / file).read_text(encoding="utf-8")) for page, file in TOP.items()}
    found |= {f"api/{name}.rst": _module(name) for name in MODULES}  # docstrings are reStructuredText
    found |= {"api/index.md": _modules(), "decisions/index.md": _decisions(docs / "decisions")}
    found["errors.md"] = found["errors.md"].replace(ERRORS, errors())
    found["methods.md"] = found["methods.md"].replace(GOLDEN, golden())
    return found


def golden() -> str:
    """Return how many values of which function were held against R, and its versions."""
    files = [json.loads(file.read_text("utf-8")) for file in sorted((ROOT / "tests/golden/values").glob("*.json"))]
    cases = Counter(case["fn"].split(".")[-1] for file in files for case in file["cases"] if isinstance(case, dict))
    versions = dict(sorted((name, said) for file in files for name, said in file["versions"].items()))
    known = [name for name in stats.__all__ if name in cases]
    rows = [f"| {{py:func}}`~evalkit.stats.{name}` | {cases[name]} |" for name in known]
    made = ", ".join(f"{name} {said}" for name, said in versions.items() if name != "R")
    return "| function | cases |\n|---|--:|\n" + "\n".join(rows) + f"\n\n{versions['R']}; {made}."


def errors() -> str:
    """Return the table of the classes of `evalkit.errors` by exit code."""
    module = importlib.import_module("evalkit.errors")
    classes = [getattr(module, name) for name in module.__all__ if name[0].isupper()]
    rows = [
        f"| {one.exit_code} | {{py:class}}`~evalkit.errors.{one.__name__}` | {(one.__doc__ or '').splitlines()[0]} |"
        for one in sorted(classes, key=lambda one: one.exit_code)
    ]
    return "| exit code | class | what it means |\n|--:|---|---|\n" + "\n".join(rows)


def _inside(text: str) -> str:
    """Return a page of docs/ with its links to the top folder as they are in the site."""
    for page, file in TOP.items():
        text = re.sub(rf"\]\((?:\.\./)+{file}(?=[)#])", f"](/{page}", text)
    return text.replace("](decisions/)", "](decisions/index.md)")


def _from_top(text: str) -> str:
    """Return a page of the top folder with its links as they are inside docs/."""
    text = re.sub(r"\]\(docs/", "](", text)
    for page, file in TOP.items():
        text = text.replace(f"]({file}", f"]({page}")
    return text.replace("](decisions/)", "](decisions/index.md)")


def _module(name: str) -> str:
    return f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n   :members:\n"


def _modules() -> str:
    rows = []
    for name in MODULES:
        first = (importlib.import_module(name).__doc__ or "").strip().splitlines()[0]
        rows.append(f"| [{name}]({name}.rst) | {first} |")
    said = "Every public name of the modules that researchers and programs call. Examples run in the tests."
    said += (
        "\n\nIn those of `evalkit.analyses`, `cohort` is of a simulated study: `report.cohort` in a notebook, or\n\n"
        + COHORT
    )
    return f"# API\n\n{said}\n\n| module | what it is |\n|---|---|\n" + "\n".join(rows) + "\n\n" + _tree(MODULES)


def _decisions(folder: Path) -> str:
    files = sorted(folder.glob("[0-9]*.md"))
    titles = [(file.name, file.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")) for file in files]
    said = "What was decided that binds the rest, why, and what was tried and rejected."
    lines = "\n".join(f"- [{title}]({name})" for name, title in titles)
    return f"# Decisions\n\n{said}\n\n{lines}\n\n" + _tree(file.stem for file in files)


def _tree(names: object) -> str:
    return "```{toctree}\n:hidden:\n\n" + "\n".join(names) + "\n```\n"  # type: ignore[call-overload]


# What is wider than a narrow screen scrolls: it has to be reached by the keyboard. A heading has a level.
_REACHED = {
    "<pre>": '<pre tabindex="0">',
    '<div class="math">': '<div class="math" tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
}


def _accessible() -> None:
    for file in SITE.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        for sphinxs, ours in _REACHED.items():
            text = text.replace(sphinxs, ours)
        file.write_text(text, encoding="utf-8")


_LOADED = re.compile(r"""<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=["'](?:https?:)?//[^"']*""")


def _from_elsewhere() -> list[str]:
    """Return what pages or styles would load from elsewhere: nothing, or a reader without a network sees half of it."""
    found = [match for file in SITE.rglob("*.html") for match in _LOADED.findall(file.read_text(encoding="utf-8"))]
    styles = [
        file
        for file in SITE.rglob("*.css")
        if re.search(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", file.read_text("utf-8"))
    ]
    return [*dict.fromkeys(found), *(str(file.relative_to(SITE)) for file in styles)]


def main() -> int:
    """Lay the pages out and build; what Sphinx warns of stops it."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    shutil.rmtree(SITE, ignore_errors=True)
    for place, text in pages().items():
        (SOURCE / place).parent.mkdir(parents=True, exist_ok=True)
        (SOURCE / place).write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "docs/images", SOURCE / "images")
    here = Path(__file__).parent
    options = ["-b", "html", "-c", str(here), "-d", str(ROOT / "build/.doctrees"), "-E", "-q", "-W", "--keep-going"]
    code = sphinx([*options, str(SOURCE), str(SITE)])
    if not code:
        _accessible()
        if loaded := _from_elsewhere():
            sys.stderr.write("loaded from elsewhere: " + "; ".join(loaded) + "\n")
            return 1
        sys.stdout.write(f"{SITE.relative_to(ROOT)}/index.html\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
