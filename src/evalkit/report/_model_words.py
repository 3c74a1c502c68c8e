"""Models in the study's words: what each term is called, against what it stands, and at which values of the others."""

from __future__ import annotations

__all__ = ["in_study_words"]

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.levels import in_words
from evalkit.protocol import Study
from evalkit.stats import CoxFit, LogisticFit
from evalkit.views import words

_NAMES = ("variable", "term", "label")
_SIGNED = ("estimate", "statistic")
_LIMITS = ("conf_low", "conf_high")
_RATIOS = ("hazard_ratio", "hr_low", "hr_high", "odds_ratio", "or_low", "or_high")
_OPPOSITE = {"conf_low": "conf_high", "conf_high": "conf_low", "hr_low": "hr_high", "hr_high": "hr_low"}
_OPPOSITE |= {"or_low": "or_high", "or_high": "or_low"}
_FACTOR = re.compile(r"^(?:C\((?P<coded>[^,()]+)[^\[]*\)|(?P<name>[^\[]+))\[(?:T\.)?(?P<level>.*)\]$", re.DOTALL)


@dataclass(frozen=True)
class _Factor:
    """A variable of a term, with the level it is an indicator of, if it is one."""

    name: str
    level: str | None = None


@dataclass(frozen=True)
class _Words:
    """What the study calls variables and levels; `levels` of those that stand as indicators, where they are known."""

    study: Study
    levels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    terms: Sequence[Sequence[_Factor]] = ()

    def is_arm(self, name: str) -> bool:
        """Say whether a variable tells the two groups apart."""
        arms = self.study.arms
        if name in {"group", arms.column, self.study.harm.model_arm}:
            return True
        both = {arms.focus.value, arms.focus.label, arms.comparison.value, arms.comparison.label}
        # By its levels where its name does not say: in a frame of one's own the column may be called otherwise.
        return bool(self.levels.get(name)) and set(self.levels[name]) <= both

    def arm(self, level: str) -> str:
        """Return a group's label."""
        arms = {arm.value: arm.label for arm in (self.study.arms.focus, self.study.arms.comparison)}
        return arms.get(level, level)

    def turned(self, factor: _Factor) -> bool:
        """Say whether a factor sets the comparison against the focus: the wrong way round for a reader."""
        focus, other = self.study.arms.focus.label, self.study.arms.comparison.label
        if factor.level is None or not self.is_arm(factor.name) or self.arm(factor.level) != other:
            return False
        return self.reference(factor.name) == focus

    def name(self, variable: str) -> str:
        """Return what a variable is called; inside a function, as in ``log(age)``, too."""
        labels = {c.name: c.label for c in self.study.covariates}
        if variable in labels:
            return labels[variable]
        if variable.isidentifier():
            return in_words(variable)
        return re.sub(r"[A-Za-z_]\w*", lambda found: labels.get(found[0], found[0]), variable)

    def value(self, name: str, level: str) -> str:
        """Return what a level is called."""
        return self.arm(level) if self.is_arm(name) else in_words(level)

    def reference(self, name: str) -> str:
        """Return the level that a variable's indicators stand against; empty where it has none or it is not known."""
        used = [f.level for term in self.terms for f in term if f.name == name and f.level is not None]
        if self.is_arm(name):
            labels = [self.study.arms.focus.label, self.study.arms.comparison.label]
            known: Sequence[str] = self.levels.get(name, labels)
            left = [self.arm(level) for level in known if self.arm(level) not in {self.arm(one) for one in used}]
        else:
            left = [self.value(name, level) for level in self.levels.get(name, ()) if level not in used]
        return left[0] if len(left) == 1 else ""

    def factor(self, factor: _Factor) -> str:
        """Return what a factor is called, against its reference."""
        focus, other = self.study.arms.focus.label, self.study.arms.comparison.label
        if factor.level is None:
            if self.is_arm(factor.name):
                return words("model.reference", name=focus, reference=other)
            return self.name(factor.name)
        if self.turned(factor):
            return words("model.reference", name=focus, reference=other)
        level = self.value(factor.name, factor.level)
        said = level if self.is_arm(factor.name) else words("model.level", name=self.name(factor.name), level=level)
        reference = self.reference(factor.name)
        return words("model.reference", name=said, reference=reference) if reference else said

    def fixed(self, name: str) -> str:
        """Return at which value of a variable the effect of another one holds, where the two interact."""
        indicators = any(f.level is not None for term in self.terms for f in term if f.name == name)
        value = self.reference(name) if indicators else self.study.arms.comparison.label if self.is_arm(name) else "0"
        if not value:
            msg = (
                f"the model has an interaction with '{name}' whose reference level is not known: no effect can be told "
                "by itself. Show the fit that stats.cox returned, with the main effects beside the interaction"
            )
            raise AnalysisError(msg)
        return words("model.fixed", name=self.name(name), value=value)

    def label(self, term: Sequence[_Factor]) -> str:
        """Return what a term is called, with the values of what it interacts with."""
        own = {factor.name for factor in term}
        # A main effect beside an interaction is of one value of the other variable only, and is misread without it.
        larger = [other for other in self.terms if own < {factor.name for factor in other}]
        others = dict.fromkeys(f.name for other in larger for f in other if f.name not in own)
        said = self.factor(term[0])
        for factor in term[1:]:
            said = words("model.both", first=said, second=self.factor(factor))
        fixed = [self.fixed(name) for name in others]
        return words("model.at", name=said, fixed=", ".join(fixed)) if fixed else said


def _factors(term: str) -> list[_Factor]:
    """Split a term's name at the colons that are in no bracket."""
    parts, depth = [""], 0
    for character in term:
        depth += (character in "([{") - (character in ")]}")
        if character == ":" and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    found = [(part, _FACTOR.match(part)) for part in parts]
    return [_Factor(m["coded"] or m["name"], m["level"]) if m else _Factor(part) for part, m in found]


def _turned_rows(rows: pd.DataFrame, turned: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Return rows with the sign of some of them turned: the other group's effect against this one's."""
    out = rows.copy()
    for name in {*_SIGNED, *_LIMITS, *_RATIOS} & set(rows.columns):
        values = rows[_OPPOSITE.get(name, name)].to_numpy(dtype=float)
        with np.errstate(divide="ignore"):
            # 0.0 - x: a coefficient of 0 turned would else be printed as -0.
            out[name] = np.where(turned, 1 / values if name in _RATIOS else 0.0 - values, rows[name])
    return out


def _levels_of(estimates: Estimates) -> Mapping[str, Sequence[str]]:
    """Return the levels of a model's variables, where it still knows them."""
    if isinstance(estimates, CoxFit) and estimates.model is not None:
        return estimates.model.design.levels
    if isinstance(estimates, LogisticFit) and estimates.design is not None:
        return estimates.design.levels
    return {}


def in_study_words(estimates: Estimates, study: Study) -> Estimates:
    """Return a model with a label for every term, the focus against the comparison; anything else as it is.

    Of one's own question, characteristics are called as the protocol has it. A main effect beside an interaction holds
    where the other variable is 0, or at its reference level: its label says so, and AnalysisError if that is not known.
    """
    rows = estimates.data
    if {"question", "by", "of"} <= set(estimates.asked):
        return _question_in_study_words(estimates, study)
    if "term" not in rows or not set(_RATIOS) & set(rows.columns) or "label" in rows or rows.empty:
        return estimates
    terms = [_factors(str(term)) for term in rows["term"]]
    said = _Words(study, _levels_of(estimates), terms)
    labels = [said.label(term) for term in terms]
    # Two factors the wrong way round, in an interaction, undo each other.
    turned = np.array([sum(map(said.turned, term)) % 2 == 1 for term in terms])
    told = _turned_rows(rows, turned)
    told.insert(1, "label", labels)
    notes = estimates.notes
    for term, label in zip(rows["term"].astype(str), labels, strict=True):
        notes = tuple(note.replace(f"'{term}'", f"'{label}'") for note in notes)
    head, per, _ = estimates.estimand.partition(" per unit of ")
    estimand = f"{head}{per}{', '.join(labels)}" if per else head
    return estimates.about(data=told, notes=notes, estimand=estimand)


def _question_in_study_words(estimates: Estimates, study: Study) -> Estimates:
    """Rename characteristics in the rows, in the counts that are asked again, and in what is asked."""
    columns = {in_words(c.name): c.label for c in study.covariates}
    named = re.compile(f"({'|'.join(map(re.escape, columns))})(?=: |$)")

    def renamed(text: object) -> object:
        found = named.match(text) if isinstance(text, str) and columns else None
        return text if found is None else f"{columns[found[1]]}{str(text)[found.end() :]}"

    def of_rows(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(**{name: rows[name].map(renamed) for name in _NAMES if name in rows})

    counts, analysis = estimates.counts, estimates.analysis
    what, mark, of = estimates.estimand.partition(": ")
    estimand = f"{what}{mark}{renamed(of)}"
    return estimates.about(
        data=of_rows(estimates.data),
        estimand=estimand,
        # In the counts too: asked again, the analysis would bring the old names back.
        counts=counts if counts is None else replace(counts, data=of_rows(counts.data)),
        analysis=analysis if analysis is None else replace(analysis, estimand=estimand),  # type: ignore[type-var]
    )
