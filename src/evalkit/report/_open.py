"""Opening a study at the cut of a period."""

from __future__ import annotations

__all__ = ["open_report"]

from collections.abc import Mapping
from dataclasses import replace

from evalkit.cells import watch_cells
from evalkit.cohort import Cohort, build
from evalkit.disclosure import Policy, Told
from evalkit.errors import ProtocolError, UsageError, did_you_mean
from evalkit.excuses import Passed
from evalkit.intake import open_gate
from evalkit.letters import unshown
from evalkit.protocol import Study, load_baselines, load_disclosure, load_frozen, load_study, noise_secret
from evalkit.report._report import Report
from evalkit.words import LANGUAGES, messages_for, speak


def open_report(
    study: str,
    period: str = "newest",
    *,
    title: str = "Report",
    language: str = "",
    where: Mapping[str, str] | None = None,
) -> Report:
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
    where : mapping of str to str, optional
        Column of `participants` and the value that both groups' people have: ``{"site": "North"}``. An empty value
        limits nobody, so that a notebook's parameter may be passed on.

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
        If the period is not one, or ``where`` names no column of words, or nobody is left.

    Examples
    --------
    >>> from evalkit.report import open_report
    >>> quarter = open_report(study, "2023Q4", title="Quarterly report")
    >>> quarter.period.name, quarter.groups
    ('2023Q4', ('Non-mandated pilot', 'PAIP'))
    >>> one_site = open_report(study, "2023Q4", where={"site": "Site 1"})
    >>> sorted(set(one_site.cohort.people["site"]))
    ['Site 1']
    """
    watch_cells()
    if unshown([title]):
        msg = "open_report: the title holds letters that the reports' fonts do not have"
        raise UsageError(msg)
    if language and language not in LANGUAGES:
        msg = f"language '{language}': there are messages in {', '.join(LANGUAGES)}{did_you_mean(language, LANGUAGES)}"
        raise ProtocolError(msg)
    registered, told = load_study(study), Passed.from_render()
    only = {column: value for column, value in (where or {}).items() if value}
    protocol = _narrowed(registered, only)
    spoken, _, region = protocol.locale.partition("-")
    spoken = language or spoken
    # Places keep their names in every language: as their own translation they are not taken for words.
    names = dict.fromkeys([*(protocol.community_areas or ()), *(protocol.sites or ()), *_of_conditions(protocol)])
    own = {**{name: name for name in names}, **protocol.translations.get("es", {})} if spoken == "es" else {}
    arms = (protocol.arms.focus, protocol.arms.comparison)
    inside = {arm.label: arm.label_in for arm in arms if arm.label_in}
    speak(f"{spoken}-{region}" if region else spoken, own, inside)
    gate = open_gate(registered, held=told.excused)
    (chosen,) = gate.periods([period])
    # The render that started this kernel checked these very tables: not again.
    passed = told if told.key and told.key == gate.key(chosen) else gate.check(chosen)
    # What is compiled for the whole study is not for a part of it.
    data = replace(gate.data, study=protocol, recipes=None if gate.data.recipes is None else {}) if only else gate.data
    cut = data.at(chosen.cut)
    rules = load_disclosure(protocol)
    cohort = build(cut)
    _refuse_nobody(cohort, only)
    return Report(
        title=title,
        study=protocol,
        period=chosen,
        data=cut,
        cohort=cohort,
        baselines=load_baselines(protocol),
        raw=data,
        policy=Policy.of(rules, noise_secret(protocol, synthetic=cohort.synthetic), Told.of_run()),
        excused=passed.excused,
        frozen=load_frozen(protocol),
        registered=registered,
        only=only,
    )


def _narrowed(study: Study, only: Mapping[str, str]) -> Study:
    """Return the study of those people only, in both groups, who have the values."""
    words = {
        "site",
        "community_area",
        "referral_source",
        *(c.name for c in study.covariates if c.kind == "categorical"),
    }
    for arm in (study.arms.focus, study.arms.comparison):
        for column, value in only.items():
            if column not in {*words, *arm.conditions}:
                hint = did_you_mean(column, words)
                msg = f"open_report: where names '{column}'; it may be {', '.join(sorted(words))}{hint}"
                raise UsageError(msg)
            if value not in arm.conditions.get(column, (value,)):
                msg = f"open_report: where says another {column} than the protocol does of {arm.label}"
                raise UsageError(msg)
    return study.model_copy(update={"arms": study.arms.limited(only)}) if only else study


def _refuse_nobody(cohort: Cohort, only: Mapping[str, str]) -> None:
    """Refuse a report on nobody: a value that there is not, most often."""
    if only and cohort.people.empty:
        said = " and ".join(f"{column} is '{value}'" for column, value in only.items())
        msg = f"open_report: nobody is known whose {said}"
        raise UsageError(msg)


def _of_conditions(study: Study) -> list[str]:
    """Name columns and values that groups depend on and nothing translates: they stand as they are."""
    found = [part for arm in (study.arms.focus, study.arms.comparison) for one in arm.where.items() for part in one]
    names = [name for part in found for name in ((part,) if isinstance(part, str) else part)]
    known, say = {text.lower() for text in study.translations.get("es", {})}, messages_for("es-US")
    return [name for name in names if name.lower() not in known and say(name) == name]
