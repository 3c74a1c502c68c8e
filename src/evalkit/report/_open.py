"""Opening a study at the cut of a period."""

from __future__ import annotations

__all__ = ["open_report"]

from evalkit.cells import watch_cells
from evalkit.cohort import build
from evalkit.disclosure import Policy
from evalkit.errors import ProtocolError, UsageError, did_you_mean
from evalkit.excuses import Passed
from evalkit.intake import open_gate
from evalkit.letters import unshown
from evalkit.protocol import Study, load_baselines, load_disclosure, load_frozen, load_study, noise_secret
from evalkit.report._report import Report
from evalkit.words import LANGUAGES, messages_for, speak


def open_report(study: str, period: str = "newest", *, title: str = "Report", language: str = "") -> Report:
    """Open a study at the cut of a period, for a notebook.

    Parameters
    ----------
    study : str
        Path of the ``study.yaml``, from the notebook's folder.
    period : str, default "newest"
        ``2022Q3``, a range ``2022-01-01..2022-06-30``, or ``newest``: the newest quarter that is over in every table.
    title : str
        Title of the report.
    language : {"", "en", "es"}
        The protocol's own where it is empty. Everything that is shown from here on is in it.

    Returns
    -------
    Report

    Raises
    ------
    ProtocolError
        If the protocol is wrong, or there are no messages in the language.
    DataError
        If a table cannot be read, breaks the study's rules or does not reach the period's end: what
        `evalkit validate` says, in the same words.
    UsageError
        If the period is not one.
    """
    watch_cells()
    if unshown([title]):
        msg = "open_report: the title holds letters that the reports' fonts do not have"
        raise UsageError(msg)
    if language and language not in LANGUAGES:
        msg = f"language '{language}': there are messages in {', '.join(LANGUAGES)}{did_you_mean(language, LANGUAGES)}"
        raise ProtocolError(msg)
    protocol, told = load_study(study), Passed.from_render()
    spoken, _, region = protocol.locale.partition("-")
    spoken = language or spoken
    names = dict.fromkeys([*(protocol.community_areas or ()), *(protocol.sites or ()), *_of_conditions(protocol)])
    own = {**{name: name for name in names}, **protocol.translations.get("es", {})} if spoken == "es" else {}
    speak(f"{spoken}-{region}" if region else spoken, own)
    gate = open_gate(protocol, held=told.excused)
    (chosen,) = gate.periods([period])
    # The render that started this kernel checked these very tables: not again.
    passed = told if told.key and told.key == gate.key(chosen) else gate.check(chosen)
    data = gate.data
    cut = data.at(chosen.cut)
    rules = load_disclosure(protocol)
    cohort = build(cut)
    return Report(
        title=title,
        study=protocol,
        period=chosen,
        data=cut,
        cohort=cohort,
        baselines=load_baselines(protocol),
        raw=data,
        policy=Policy.of(rules, noise_secret(protocol, synthetic=cohort.synthetic)),
        excused=passed.excused,
        frozen=load_frozen(protocol),
    )


def _of_conditions(study: Study) -> list[str]:
    """Name columns and values that groups depend on and nothing translates: they stand as they are."""
    found = [part for arm in (study.arms.focus, study.arms.comparison) for one in arm.where.items() for part in one]
    names = [name for part in found for name in ((part,) if isinstance(part, str) else part)]
    known, say = {text.lower() for text in study.translations.get("es", {})}, messages_for("es-US")
    return [name for name in names if name.lower() not in known and say(name) == name]
