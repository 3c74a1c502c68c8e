"""Text and Markdown: what comes from data or protocol is text, whatever letters it is made of.

Sentences are put together from messages, labels, levels and other sentences. Were each label escaped where it is put
in, one place would forget it and another would do it twice, and figures and alternative texts, which know no Markdown,
would show the backslashes. So it is the other way round: the few marks that evalkit itself writes (bold, a list, a box)
are written as *signs*, and `markdown`, at the one door through which text leaves, escapes all the rest and then turns
signs into marks. Whatever nobody thought of is text.
"""

from __future__ import annotations

__all__ = [
    "bold",
    "box",
    "bullets",
    "code",
    "escaped",
    "heading",
    "link",
    "markdown",
    "paragraphs",
    "plain",
    "reference",
    "sign",
    "table",
    "template",
    "title",
]

import re
from collections.abc import Iterable, Sequence

# A sign is an ASCII character moved to where no script has letters and no font has shapes. Text that holds such a
# character itself is refused when it is read (`evalkit.letters`), so that nothing in a table can become a mark.
_MOVED = 0xF0000
_SIGNS = {_MOVED + code: code for code in range(128)}
_RUN = re.compile(f"([{chr(_MOVED)}-{chr(_MOVED + 127)}]+)")
_BREAK = re.compile(r"\s*[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]\s*")

_LETTER = re.compile(r"\bp (?=\{)")  # of a p value: a line that ends with it is read twice

_ANYWHERE = re.compile(
    r"""([\\`*\[\]<>&\#$@^~|{}"'!]"""  # what marks something wherever it stands, or makes typographic quotes
    r"|(?<![^\W_])_|_(?![^\W_])"  # emphasis, but not inside of a name
    r"|\.(?=\.)|-(?=-)|=(?==)"  # an ellipsis, a dash, a marker pen
    r"|:(?=//|:|[\w+-]+:))"  # an address, a fence, a picture by its name
)
_AT_START = re.compile(
    r"^(?:([=+\-%:])"  # heading, list, title, definition
    r"|(\(?(?:\d{1,9}|[A-Za-z]|[ivxlcdmIVXLCDM]+))([.)])(?=\s|$)"  # numbered list
    r"|([Tt]able)(:))"  # a table's caption
)
_TITLE = re.compile(
    r"\\([!-/:-@\[-`{-~])|\*\*|__|`"
    r"|(?<![\w*])[*_](?=\S)|(?<=\S)[*_](?![\w*])"  # of one sign: where it opens or closes a word, not within snake_case
)


def sign(marks: str) -> str:
    """Return Markdown as signs: it stays Markdown when the text around it is escaped. Only ASCII is moved."""
    return marks.translate({ord(c): _MOVED + ord(c) for c in marks if c.isascii()})


def template(message: str) -> str:
    """Return a message, its places still empty, with marks as signs, typographic apostrophes, a p beside its value."""
    return _LETTER.sub("p\u00a0", message.replace("**", sign("**")).replace("'", "\u2019"))


def escaped(text: str, *, begins: bool = True) -> str:
    r"""Return a text on one line (a break becomes a blank) as Markdown that shows that text, letter by letter.

    Where it may begin a line more signs mark something.

    Examples
    --------
    >>> print(escaped("<unknown> or *a*"), escaped("1. Anfang"), escaped("West Englewood, 77% (1 to 2)"))
    \<unknown\> or \*a\* 1\. Anfang West Englewood, 77% (1 to 2)
    """
    flat = _BREAK.sub(" ", text)
    body = flat.lstrip(" \t")  # four blanks would make it code
    first = _AT_START.match(body) if begins else None
    head = ""
    if first:
        mark, number, delimiter, word, colon = first.groups()
        head = f"\\{mark}" if mark else f"{number or word}\\{delimiter or colon}"
        body = body[first.end() :]
    lead = flat[: len(flat) - len(flat.lstrip(" \t"))] and " "
    return lead + head + _ANYWHERE.sub(r"\\\1", body)


def markdown(text: str) -> str:
    r"""Return a generated text as Markdown: signs become marks, everything else is shown as it is.

    Examples
    --------
    >>> print(markdown(bold("*") + " of " + "#3"))
    **\*** of \#3
    """
    parts = _RUN.split(text)
    runs = [part.translate(_SIGNS) if i % 2 else part for i, part in enumerate(parts)]
    begins = [True, *(run.endswith(("\n", " ")) for run in runs)]  # after a break, a bullet, a cell's border
    return "".join(run if i % 2 else escaped(run, begins=begins[i]) for i, run in enumerate(runs) if run).strip()


def plain(text: str) -> str:
    """Return a generated text without its marks, for places that know no Markdown."""
    return _RUN.sub("", text)


def title(caption: str) -> str:
    r"""Return a caption, which is Markdown, without its marks of emphasis and escapes.

    Examples
    --------
    >>> title("**Most came from \\<unknown\\>.** Sources"), title("Cause *and* `n_event`, 2 * 3")
    ('Most came from <unknown>. Sources', 'Cause and n_event, 2 * 3')
    """
    return _TITLE.sub(lambda found: found[1] or "", caption)


def bold(text: str) -> str:
    """Return a text in bold."""
    return f"{sign('**')}{text}{sign('**')}"


def code(text: str) -> str:
    """Return a name from a file as code, where code can show it; as it stands elsewhere."""
    # No escape works inside of code, so a name with one of its signs is shown as text instead.
    shown = re.fullmatch(r"[^\s`|{}]+(?: [^\s`|{}]+)*", text)
    return f"{sign('`')}{sign(text)}{sign('`')}" if shown else text


def paragraphs(*parts: str) -> str:
    """Return texts as paragraphs; empty ones are left out."""
    return sign("\n\n").join(part for part in parts if part)


def heading(text: str, level: int = 1) -> str:
    """Return a heading."""
    return f"{sign('#' * level + ' ')}{text}"


def bullets(lines: Iterable[str]) -> str:
    """Return a list."""
    return sign("\n").join(f"{sign('- ')}{line}" for line in lines)


def box(kind: str, text: str) -> str:
    """Return a text in a box that the templates draw: finding, caveat, help, absent or note."""
    return f"{sign(f'::: {{.{kind}}}' + chr(10))}{text}{sign(chr(10) + ':::')}"


def reference(label: str) -> str:
    """Return a reference to a figure, a table or a section: ``fig-retention``."""
    return sign(f"@{label}")


def link(text: str, target: str) -> str:
    """Return a link; a target is as ``#sec-methods``."""
    return f"{sign('[')}{text}{sign(f']({target})')}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int] = ()) -> str:
    """Return a table; a name that holds the sign between columns does not end its cell.

    Widths of columns are relative, and count where a line is long.
    """
    bar, rule = sign(" | "), [sign(f":{'-' * width}") for width in widths] or [sign("---")] * len(heads)
    lines = (heads, rule, *rows)
    return sign("\n").join(f"{sign('| ')}{bar.join(line)}{sign(' |')}" for line in lines)
