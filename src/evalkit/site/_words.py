"""What the site says: every word of its pages, in the language of its reader."""

from __future__ import annotations

__all__ = ["Reader", "Told", "label_of", "page_words", "plain", "written"]

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial

import numpy as np

from evalkit.periods import Period
from evalkit.site._series import Number, Question, Row
from evalkit.words import Messages, marked, messages_for, points, speaking, translation

_QUARTERS = (
    marked("first quarter of {year}"),
    marked("second quarter of {year}"),
    marked("third quarter of {year}"),
    marked("fourth quarter of {year}"),
)


@dataclass(frozen=True)
class Told:
    """A text on a page; where it is not in the page's language, it says in which."""

    text: str
    language: str = ""  # empty where it is the page's

    def __html__(self) -> str:
        """Return it as a page has it: templates ask for this."""
        said = html.escape(self.text)
        return f'<span lang="{self.language}">{said}</span>' if self.language else said


@dataclass(frozen=True)
class Reader:
    """A language, and the words of the study in it."""

    say: Messages
    own_words: Mapping[str, str]  # English words of the protocol and the notebooks: the same in this language
    _known: dict[str, str | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    @staticmethod
    def of(language: str, *words: Mapping[str, Mapping[str, str]]) -> Reader:
        """Return the reader of a language; of `words` (language: English words, and theirs) the first go before."""
        # The last first, so that what comes first writes over it.
        own = {english: said for each in reversed(words) for english, said in each.get(language, {}).items()}
        return Reader(messages_for(f"{language}-US"), own)

    def own(self, text: str) -> str:
        """Return a word of the study in this language where it has one."""
        return self._translation(text) or text

    def told(self, text: str, language: str = "en") -> Told:
        """Return a text of a report, which is in a language, in this one where it has words for it."""
        if language == self.say.language:
            return Told(text)
        said = self._translation(text)
        return Told(text, language) if said is None else Told(said)

    def _translation(self, text: str) -> str | None:
        # A caption stands on the page of every release: its sentences are looked up once.
        if text not in self._known:
            with speaking(self.say.locale, self.own_words):
                self._known[text] = translation(text) or _sentences(text)
        return self._known[text]

    def period(self, period: Period) -> str:
        """Return a period in words."""
        say = self.say
        year, _, quarter = period.name.partition("Q")
        if quarter and year.isdigit():
            return say(_QUARTERS[int(quarter) - 1], year=year)
        return say("{first} to {last}", first=say.day(period.first), last=say.day(period.last))

    def moment(self, text: str) -> str:
        """Return the day of a moment in UTC, in words; empty where it is not known."""
        return self.say.day(date.fromisoformat(text[:10])) if text else ""


def _sentences(text: str) -> str | None:
    """Translate a caption, and what was added to it when the protocol was frozen, sentence by sentence."""
    # All sentences or none: a caption of two languages could not say in which it is.
    known = [translation(f"{part}.") or translation(part) for part in text.removesuffix(".").split(". ")]
    said = [f"{part[:1].upper()}{part[1:].removesuffix('.')}" for part in known if part]
    return ". ".join(said) + "." * text.endswith(".") if len(said) == len(known) else None


def label_of(row: Row, question: Question, reader: Reader, language: str = "en") -> Told:
    """Say what a row is about, in a few words; the report is in `language`.

    What no other row of its question says need not be said.
    """
    say, about = reader.say, row.about
    name = about.get("label") or about.get("term") or ""
    known = [reader.told(name, language)] if name else []
    if about.get("variable") and _is_twice("variable", row, question):
        variable = reader.told(about["variable"], language)
        known = [Told(f"{variable.text}: {part.text}", variable.language or part.language) for part in known]
    rest = [about.get("method", "") if _is_twice("method", row, question) else "", about.get("cause", "")]
    known += [reader.told(text, language) for text in rest if text]
    known += [Told(say("by day {day}", day=about["time"]))] if about.get("time") and not about.get("label") else []
    known += [Told(say("difference between the groups"))] if about.get("measure") == "difference" else []
    known = known or [reader.told(question.title, language)]  # where only groups tell rows apart
    text = ", ".join(part.text for part in known)
    return Told(text[:1].upper() + text[1:], next((part.language for part in known if part.language), ""))


def _is_twice(name: str, row: Row, question: Question) -> bool:
    """Say whether another row has the same label, and only this text tells them apart."""
    mine = row.about
    return any(
        other.about.get("label") == mine.get("label") and other.about.get(name) != mine.get(name)
        for other in question.rows
    )


def written(number: Number | None, row: Row, reader: Reader) -> tuple[str, str]:
    """Write a number as a cell of a table: with its limits, and of how many it is, where the file says so.

    `number` is None where the release does not have the row.
    """
    say = reader.say
    if number is None:
        return "–", ""
    if number.value is None:
        return say("not shown"), ""
    in_points = row.about.get("measure") == "difference"
    write = _points if in_points else say.percent if row.scale == "share" else partial(plain, say)
    text = say("{points} points", points=write(number.value)) if in_points else write(number.value)
    if number.low is not None and number.high is not None:
        limits = say("{low} to {high}", low=write(number.low), high=write(number.high))
        text = f"{text} ({limits})"
    if number.n and number.n_event:
        return text, say("{n} of {total}", n=say.count(float(number.n_event)), total=say.count(float(number.n)))
    return text, say("of {total}", total=say.count(float(number.n))) if number.n else ""


def plain(say: Messages, value: float, digits: int = 3) -> str:
    """Write a number with so many digits, and never as a power of ten."""
    rounded = float(f"{value:.{digits}g}")
    # As rounded: 999.7 has four digits then, and is written as a count is.
    if abs(rounded) >= 10**digits:
        return say.count(value)
    return np.format_float_positional(rounded, trim="-").replace("-", "−")


def _points(value: float) -> str:
    """Write a difference of shares in percentage points, with its sign."""
    return points(value, 0)


def page_words(say: Messages) -> dict[str, str]:
    """Return what the templates say by themselves: name there, and text."""
    return {**_frame_words(say), **_release_words(say), **_number_words(say), **_method_words(say)}


def _frame_words(say: Messages) -> dict[str, str]:
    return {
        "skip": say("Skip to the page"),
        "site": say("This site"),
        "reports": say("Reports"),
        "indicators": say("Indicators over time"),
        "methods": say("Methods and protection"),
        "feed": say("News feed (Atom)"),
        "other": say("Español"),
        "synthetic": say("Synthetic data"),
        "simulated": say("Everything on this site was made by a simulator. No real person is described."),
        "publisher": say("Published by"),
        "newest": say("Newest reports"),
        "all": say("All reports, newest first"),
        "period": say("Period"),
        "cut": say("Data cut"),
        "later": say("(later records are not used)"),
        "revision": say("Revision"),
        "published": say("Published"),
        "unknown": say("not recorded"),
        "files": say("Read"),
        "withdrawn": say("Withdrawn"),
        "contents": say("Contents"),
    }


def _release_words(say: Messages) -> dict[str, str]:
    return {
        "read": say("Read the report"),
        "html": say("Web page"),
        "earlier": say("Earlier"),
        "newer": say("Newer"),
        "nothing": say("There is no report for this period now."),
        "gone": say("Published, and not kept here any more; when and why was not written down."),
        "changed": say("What changed in revision {revision}, and why"),
        "inputs": say("What went into it that was not in revision {before}"),
        "same": say("The same data, parameters, code and tools went into both."),
        "numbers": say("Published numbers that differ now"),
        "no_numbers": say("No published number differs."),
        "after_gone": say("The revision before it is not kept here, so what differs is not known."),
        "output": say("Figure or table"),
        "came": say("not shown before."),
        "went": say("not shown any more."),
        "column": say("Column"),
        "before": say("Before"),
        "now": say("Now"),
        "data": say("Numbers and figures"),
        "data_about": say(
            "The numbers of each figure and table, as they passed disclosure control, with a dictionary."
        ),
        "package": say("Data package (all files described)"),
        "dictionary": say("Dictionary of the columns"),
        "crate": say("Description for archives (RO-Crate)"),
        "citation": say("Citation (CITATION.cff)"),
        "approval": say("Approval"),
        "approved": say("Approved by {name} on {day}: {reason}"),
        "no_approval": say("No approval was asked for, and none was given."),
        "check": say("Check a file yourself"),
        "check_how": say(
            "Each file has a digest. If you save a file and your computer gives the same digest for it, it is the"
            " file that was published:"
        ),
        "check_all": say("All digests of this revision in one file"),
        "held": say(
            "When this site was made, each file was held to the manifest, and the manifest to the ledger of what "
            "was published."
        ),
        "unheld": say(
            "When this site was made, each file was held to the manifest. The ledger of what was published was "
            "not at hand."
        ),
        "signed": say("The manifest is signed with key {key}."),
        "file": say("File"),
        "manifest": say("Manifest: all that went in and came out"),
        "cite": say("How to cite"),
        "licence": say("License"),
        "no_licence": say("No license is named: all rights are kept."),
        "revisions": say("Earlier revisions"),
        "history": say("Revision {revision}"),
    }


def _number_words(say: Messages) -> dict[str, str]:
    return {
        "indicators_about": say(
            "Each published number, followed over the releases of a report. Nothing is computed for this page: "
            "every number stands in a release, and passed disclosure control there. The newest period stands "
            "first in a table, last in a figure."
        ),
        "headlines": say("Headline indicators"),
        "headlines_time": say("Headline indicators over time"),
        "once": say("There is one release so far, so there is nothing to follow yet."),
        "what": say("What"),
        "group": say("Group"),
        "limits": say(
            "In brackets: 95% limits, or quartiles beside a median. A dash: there is no release, or it does not have "
            "the number. "
            "Not shown: disclosure control withheld it."
        ),
        "chart": say(
            "Small charts, one for each line of the table below, from {first} to {last}. The table holds every number."
        ),
        "none": say("No release with numbers is published in this language yet."),
        "numbers_of": say("Numbers: {caption}"),
    }


def _method_words(say: Messages) -> dict[str, str]:
    return {
        "m_based": say("What the reports are based on"),
        "m_based_1": say(
            "Each report has a data cut: the last day of its period. It uses only what was known on that day, so "
            "an old quarter made again from newer records gives the old numbers."
        ),
        "m_based_2": say(
            "The methods are described at the end of each report, with the definitions of its words and a "
            "dictionary of the data:"
        ),
        "m_protect": say("How people are protected"),
        "m_protect_1": say(
            "Counts of a few people are not published, nor anything from which they could be worked out."
        ),
        "m_protect_2": say(
            "Every other count is a little off, on purpose and at random, by an amount that is right on average. "
            "The same people give the same number in every table and report, so subtracting one number from "
            "another tells of nobody."
        ),
        "m_protect_3": say(
            "Percentages, limits and curves are worked out from such counts, not from the exact ones. Limits are "
            "widened for it."
        ),
        "m_protect_4": say("Survivors' safety comes before every other interest in the data."),
        "m_revision": say("Revisions and withdrawals"),
        "m_revision_1": say(
            "A published report is never overwritten. Where something has to be corrected, a new revision is "
            "published, and its page says why, what went into it that is new, and which published numbers "
            "differ now. The old one is kept."
        ),
        "m_revision_2": say(
            "A report that has to go is withdrawn: its files are taken away, and when and why stays on its page."
        ),
        "m_check": say("How to check what you read"),
        "m_check_1": say(
            "Each report's page gives the digest of each of its files. The manifest names everything that went "
            "into a report and everything that came out, and stands inside the PDF, too."
        ),
        "m_check_2": say("Whoever has the study's records can make each report again and compare it number by number."),
        "m_use": say("Using the numbers"),
    }
