"""What the templates say by themselves, in the language of the document."""

from __future__ import annotations

__all__ = ["words"]

from evalkit.words import messages_for


def words(locale: str) -> dict[str, str]:
    """Return the words of the templates.

    Parameters
    ----------
    locale : str
        As ``en-US``.

    Returns
    -------
    dict
        Name in the templates, without ``ek-word-``: text.
    """
    say = messages_for(locale)
    return {
        "period": say("Period"),
        "cut": say("Data cut"),
        "later": say("(nothing known later is used)"),
        "publisher": say("Published by"),
        "revision": say("Revision"),
        "synthetic": say("Synthetic data"),
        "simulated": say(
            "Everything in this report was made by a simulator. No real person is described, and nothing here is "
            "evidence about a program."
        ),
        "unreal": say("Synthetic data: no real person is described"),
        "draft": say("Draft"),
        "drafted": say("Not published and not approved: not to be passed on"),
        "skip": say("Skip to the report"),
        "contents": say("Contents"),
        "more": say("Wider than the screen: move sideways to see all"),
        "page": say("Page {page} of {pages}"),
        "figure": say("Figure"),
        "table": say("Table"),
    }
