"""Compiles one Typst file; run as a program of its own so that it can be stopped.

``python -P _typst.py main.typ out.pdf FONTS STANDARD TIMESTAMP``; ``out-{p}.png`` instead of ``out.pdf`` makes a
picture of each page. With ``LABEL`` after these it says, as JSON on stdout, what the document tells under that label.
It is run by its file, not as a module: that would load the whole package first.
"""

from __future__ import annotations

__all__ = ["COMMAND"]

import sys
from typing import Any

COMMAND = (sys.executable, "-P", __file__)
"""The program; its arguments follow."""

# Sharp enough on a printed page, with a quarter of the pixels that 400 would have.
_PPI = 200.0


def main(arguments: list[str]) -> int:
    """Compile: input, output, folder of fonts, standard (``ua-1``, ``none``), Unix timestamp, perhaps labels.

    Pictures have no standard. Returns 0, or 1 with the compiler's message on stderr.
    """
    import typst  # noqa: PLC0415 - only this child needs the compiler

    source, target, fonts, standard, timestamp, *asked = arguments
    # The machine's own fonts would give other letters on another one.
    compiler = typst.Compiler(source, font_paths=[fonts], ignore_system_fonts=True)
    form: Any = {"format": "png", "ppi": _PPI} if target.endswith(".png") else {"format": "pdf"}
    if standard != "none":
        form["pdf_standards"] = [standard]
    try:
        _, warned = compiler.compile_with_warnings(output=target, timestamp=int(timestamp), **form)
        sys.stdout.writelines(compiler.query(f"<{label}>", field="value") for label in asked)
    except typst.TypstError as error:
        hints = " ".join(str(hint) for hint in error.hints)
        sys.stderr.write(f"error: {error.message} {hints}".strip() + "\n")
        return 1
    for warning in warned:
        sys.stderr.write(f"warning: {warning.message}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
