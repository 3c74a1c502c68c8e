"""Sphinx's configuration of the documentation site; `build.py` runs it."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert

from evalkit import __version__

project, author, release, version = "evalkit", "The evalkit authors", __version__, __version__
project_copyright = "MIT licence"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath", "deflist", "attrs_inline"]
myst_heading_anchors = 3
default_role = "code"
suppress_warnings = ["ref.python"]  # a type that several modules call by the same name is not linked
exclude_patterns = ["_site"]

html_theme = "furo"
html_title = "evalkit"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f4e79", "color-brand-content": "#1d5f99"},
    "dark_css_variables": {"color-brand-primary": "#8fc1ee", "color-brand-content": "#8fc1ee"},
}
html_math_renderer = "mathml"

autodoc_typehints = "none"  # docstrings name types in the field's words
autodoc_member_order = "alphabetical"
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
# Readable on its ground (4.5:1), which the usual styles are not.
pygments_style, pygments_dark_style = "a11y-high-contrast-light", "a11y-high-contrast-dark"


def _docstring(_app: Any, _what: str, name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """Give references names of their own on a page of many docstrings; let `evalkit.stats.cox` lead to its entry."""
    own = name.replace(".", "-").lower()
    for number, line in enumerate(lines):
        named = re.sub(r"(?<=\[)(\d+)(?=\]_)|(?<=^\.\. \[)(\d+)(?=\] )", rf"#{own}-\g<0>", line)
        lines[number] = re.sub(r"(?<![`:\w\\])`(evalkit\.[\w.]+)`(?![`_\w])", r":py:obj:`\1`", named)


def _inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _block(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def setup(app: Any) -> None:
    """Set formulas as MathML: browsers set it without a script, and screen readers read it."""
    app.connect("autodoc-process-docstring", _docstring, priority=900)
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
