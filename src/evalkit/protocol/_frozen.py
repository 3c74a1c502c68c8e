"""The protocol as it was registered: frozen under a name, with its day and digest, and what has changed since.

``protocol/v1.yaml`` beside ``study.yaml`` holds what decides analyses (rules, outcomes, estimands, thresholds, targets,
baselines, policy) as typed values, and the names of the results that were planned. It is committed and never edited; a
change is frozen under another name, which says what changed (ADR 22).
"""

from __future__ import annotations

__all__ = [
    "Change",
    "Frozen",
    "Planned",
    "changes_since",
    "decisive",
    "differences",
    "first_plan",
    "freeze",
    "load_frozen",
    "unexplained",
    "version_file",
]

import contextlib
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from evalkit.errors import ProtocolError
from evalkit.protocol._fields import Day, Harm, Model, Name, Rules, Slug, Text, Told
from evalkit.protocol._files import load_baselines, load_disclosure, validate
from evalkit.protocol._report import Disclosure
from evalkit.protocol._study import Comparison, Study
from evalkit.protocol._yaml import read_yaml

FOLDER = "protocol"
_NAMES = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_HEAD = (
    "# The protocol as it was frozen. Never edited: a change is frozen under another name (evalkit protocol freeze).\n"
)

# Words for readers and who may sign decide no analysis.
_STUDY = {"starts", "time_zone", "fiscal_year_start_month", "rules", "harm", "comparison", "ignore", "seed", "targets"}
_WORDS: dict[str, Any] = {
    "harm": {"label", "model_arm", "helpline"},
    "targets": {"__all__": {"why"}},
    "rules": {"closures": {"__all__": {"why"}}},
}
_WORDS_OF_BEFORE = re.compile(r"harm\.helpline|rules\.closures\.\d+\.why")  # older frozen protocols hold them
_COVARIATE = {"name", "kind", "levels", "minimum", "maximum"}
_ARM = {"value", "where"}
_POLICY = {
    *("minimum_count", "noise_variance", "noise_most", "round_for_display", "minimum_at_risk", "dominance"),
    *("minimum_subgroup", "minimum_level", "zero", "landmarks"),
}
_BASELINE = {"id", "measure", "value", "unit", "n"}


class Planned(Model):
    """A result that was planned."""

    name: Text
    """Its id: the analysis' key and parameters by value (ADR 16)."""
    kind: Text = ""
    """What it is of."""
    shown: list[Text] = []
    """Figures and tables that show it."""


class Change(Model):
    """One value that is not what it was frozen as."""

    key: Text
    """Where it stands in the protocol: ``rules.landmark_day``."""
    old: Text
    """What it was; a dash where there was none."""
    new: Text
    """What it is; a dash where there is none."""
    what: Told = Told()
    """What it means, in plain words."""
    since: Day | None = None
    """From which day it holds; none: nobody wrote it down."""
    why: Told = Told()
    """Why; empty: nobody wrote it down."""
    version: str = ""
    """Name under which it was frozen; empty: it is not yet."""


class Frozen(Model):
    """A frozen protocol: ``protocol/<name>.yaml``."""

    name: Slug
    """Its name."""
    day: Day
    """When it was frozen."""
    why: Text
    """Why."""
    follows: dict[str, str] = {}
    """Name and digest of the one before; empty for the first."""
    changes: list[Change] = []
    """What changed since that one."""
    values: dict[Name, Any]
    """What decides analyses."""
    analyses: list[Planned] = []
    """Results that were planned; none: they are not told apart."""
    sha256: str
    """Digest of all the rest."""

    @property
    def planned(self) -> frozenset[str]:
        """Names of the results that were planned."""
        return frozenset(result.name for result in self.analyses)


def _digest(content: Mapping[str, Any]) -> str:
    # Of the values: a file that is only laid out otherwise, or has a remark more, is not another one (ADR 22).
    rest = {name: value for name, value in content.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def decisive(study: Study) -> dict[str, Any]:
    """Return what of a protocol decides analyses, as plain values.

    Parameters
    ----------
    study : Study

    Returns
    -------
    dict
    """
    arms = study.arms
    values = study.model_dump(mode="json", include=_STUDY, exclude=_WORDS, by_alias=True)
    values["arms"] = {
        "column": arms.column,
        "focus": arms.focus.model_dump(mode="json", include=_ARM),
        "comparison": arms.comparison.model_dump(mode="json", include=_ARM),
    }
    values["covariates"] = [c.model_dump(mode="json", include=_COVARIATE, exclude_none=True) for c in study.covariates]
    # Which tables there are decides what can be asked; where they lie decides nothing.
    values["tables"] = sorted(study.tables)
    values["disclosure"] = load_disclosure(study).model_dump(mode="json", include=_POLICY)
    found = load_baselines(study).baselines
    values["baselines"] = [b.model_dump(mode="json", include=_BASELINE, exclude_none=True) for b in found]
    return values


def version_file(study: Study, name: str) -> Path:
    """Return the file of a frozen protocol.

    Parameters
    ----------
    study : Study
    name : str

    Returns
    -------
    pathlib.Path
    """
    return study.folder / FOLDER / f"{name}.yaml"


def load_frozen(study: Study) -> tuple[Frozen, ...]:
    """Read a study's frozen protocols, the first one first; none where it was never frozen.

    Parameters
    ----------
    study : Study

    Returns
    -------
    tuple of Frozen

    Raises
    ------
    ProtocolError
        If one was edited after it was frozen, or does not follow from the one before.
    """
    folder = study.folder / FOLDER
    files = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    found = [_read(file) for file in files]
    chain: list[Frozen] = []
    while len(chain) < len(found):
        before = {chain[-1].name: chain[-1].sha256} if chain else {}
        following = [one for one in found if one.follows == before]
        if len(following) != 1:
            names = ", ".join(sorted({one.name for one in found} - {one.name for one in chain}))
            msg = f"{folder}: {names} does not follow from one frozen protocol; bring the missing file back"
            raise ProtocolError(msg)
        chain.append(following[0])
    return tuple(chain)


def _read(file: Path) -> Frozen:
    content = read_yaml(file)
    frozen = validate(Frozen, content, str(file))
    if frozen.sha256 != _digest(content) or frozen.name != file.stem:
        msg = (
            f"{file}: was edited after it was frozen; bring it back as it was, and freeze the change under another name"
        )
        raise ProtocolError(msg)
    return frozen


def flat(values: Mapping[str, Any]) -> dict[str, str]:
    """Return each value with the way to it, as text; of a list of things with names, each is a step of the way.

    >>> flat({"rules": {"dose_hours": 36.0, "kinds": ["a", "b"]}, "covariates": [{"name": "age", "kind": "numeric"}]})
    {'rules.dose_hours': '36', 'rules.kinds': 'a, b', 'covariates.age.kind': 'numeric'}
    """
    return dict(_leaves(values, ""))


def _leaves(value: Any, way: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - as it was read
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        value = {_called(one, number): _others(one) for number, one in enumerate(value, start=1)}
    if isinstance(value, dict) and value:
        for name, one in value.items():
            yield from _leaves(one, f"{way}.{name}" if way else str(name))
    else:
        yield way, _text(value)


def _called(one: Mapping[str, Any], number: int) -> str:
    return str(next((one[name] for name in ("name", "id", "indicator") if name in one), number))


def _others(one: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name not in {"name", "id", "indicator"}}


def _text(value: object) -> str:
    if value is None or value in ([], {}, ""):
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return f"{value:.15g}" if isinstance(value, float) else str(value)  # all its digits: another value is a change


def _usual() -> dict[str, str]:
    """Return what keys mean where they are left out: of a protocol frozen before there was such a key."""
    models = {"rules": Rules(), "harm": Harm(), "comparison": Comparison(), "disclosure": Disclosure()}
    return flat({name: model.model_dump(mode="json") for name, model in models.items()})


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """List the values that differ.

    Parameters
    ----------
    old, new : mapping
        From `decisive`.

    Returns
    -------
    list of (str, str, str)
        Key, what it was, what it is; sorted.
    """
    then, now, usual = flat(old), flat(new), _usual()
    pairs = ((key, then.get(key, usual.get(key, "-")), now.get(key, "-")) for key in sorted({*then, *now}))
    return [pair for pair in pairs if pair[1] != pair[2] and not _WORDS_OF_BEFORE.fullmatch(pair[0])]


def changes_since(study: Study, versions: Sequence[Frozen]) -> list[Change]:
    """List what has changed since the protocol was first frozen.

    Parameters
    ----------
    study : Study
    versions : sequence of Frozen
        From `load_frozen`.

    Returns
    -------
    list of Change
        Those frozen under later names first, then those that are not frozen yet.
    """
    if not versions:
        return []
    # A later version makes a change known, not undone (ADR 22): all since the first are told.
    later = [change.model_copy(update={"version": v.name}) for v in versions[1:] for change in v.changes]
    return [*later, *_open(study, versions[-1])]


def _open(study: Study, newest: Frozen) -> list[Change]:
    return [_explained(study, newest.day, *found) for found in differences(newest.values, decisive(study))]


def _explained(study: Study, frozen: date, key: str, old: str, new: str) -> Change:
    # What held before the newest version was frozen explains that version's value, not another one since.
    since = [d for d in study.deviations if d.since >= frozen]
    said = [d for d in since if key == d.key or key.startswith(f"{d.key}.")]
    said.sort(key=lambda d: d.since)  # the newest tells why the value is what it is, wherever it stands in the file
    told = {"what": said[-1].what, "since": said[-1].since, "why": said[-1].why} if said else {}
    return Change(key=key, old=old, new=new, **told)


def first_plan(versions: Sequence[Frozen]) -> Frozen | None:
    """Return the first frozen protocol that names results: what it does not name was added later.

    Parameters
    ----------
    versions : sequence of Frozen

    Returns
    -------
    Frozen or None
    """
    return next((one for one in versions if one.analyses), None)


def unexplained(study: Study, versions: Sequence[Frozen]) -> list[str]:
    """Name the changes of which nobody wrote down when and why.

    Parameters
    ----------
    study : Study
    versions : sequence of Frozen

    Returns
    -------
    list of str
        As ``rules.landmark_day (182, now 270)``.
    """
    return [f"{c.key} ({c.old}, now {c.new})" for c in changes_since(study, versions) if not c.why]


def freeze(study: Study, name: str, why: str, day: date, analyses: Sequence[Planned] = ()) -> Frozen:
    """Keep the protocol as it is now under a name.

    Parameters
    ----------
    study : Study
    name : str
        As ``v1``; small letters, digits, ``-`` and ``_``.
    why : str
        In a sentence; it is published.
    day : datetime.date
        Today.
    analyses : sequence of Planned
        Results that are planned.

    Returns
    -------
    Frozen

    Raises
    ------
    ProtocolError
        If the name is used, nothing changed since the last time, or the file cannot be written.
    """
    if not _NAMES.fullmatch(name):
        msg = f"protocol '{name}': a name has small letters, digits, - and _, as v1"
        raise ProtocolError(msg)
    with _alone(study.folder / FOLDER):
        return _frozen(study, name, why, day, analyses)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one freeze work at a time: of two at once both would follow the same one, and neither could be read again."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        msg = f"{folder}: cannot be written ({error.strerror})"
        raise ProtocolError(msg) from None
    try:
        with contextlib.suppress(OSError):  # a file system without locks: freezing is what one person does, and rarely
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _frozen(study: Study, name: str, why: str, day: date, analyses: Sequence[Planned]) -> Frozen:
    versions, file = load_frozen(study), version_file(study, name)
    used = next((v for v in versions if v.name == name), None)
    if used is not None:
        msg = f"protocol {name}: was frozen on {used.day} already, and is never written over; take another name"
        raise ProtocolError(msg)
    newest = versions[-1] if versions else None
    changes = _open(study, newest) if newest else []
    # A result that is planned now, and was not, is a reason to freeze, too.
    if newest and not changes and {a.name for a in analyses} <= newest.planned:
        msg = f"protocol {name}: nothing has changed since {newest.name} was frozen on {newest.day}"
        raise ProtocolError(msg)
    # What nobody explained has the day and the reason of this freeze (ADR 22).
    dated = [c if c.why else c.model_copy(update={"since": day, "why": Told(en=why)}) for c in changes]
    content = {
        "name": name,
        "day": day.isoformat(),
        "why": why,
        **({"follows": {newest.name: newest.sha256}} if newest else {}),
        **({"changes": [c.model_dump(mode="json", exclude_defaults=True) for c in dated]} if dated else {}),
        "values": decisive(study),
        "analyses": [a.model_dump(mode="json", exclude_defaults=True) for a in analyses],
    }
    # What is read again is what the digest is of.
    content = json.loads(json.dumps(content))
    content["sha256"] = _digest(content)
    _write(file, content)
    return _read(file)


def _write(file: Path, content: Mapping[str, Any]) -> None:
    text = _HEAD + yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=110)
    whole = file.with_suffix(".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        whole.write_text(text, encoding="utf-8")
        file.hardlink_to(whole)  # in one step, and never over another
    except FileExistsError:
        msg = f"{file}: is there already; take another name"
        raise ProtocolError(msg) from None
    except OSError as error:
        msg = f"{file}: cannot be written ({error.strerror})"
        raise ProtocolError(msg) from None
    finally:
        whole.unlink(missing_ok=True)
