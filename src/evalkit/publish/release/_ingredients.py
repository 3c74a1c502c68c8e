"""What goes into a release, as plain values: the key by which it is known to be the same, and what differs by name.

The parts are sections of the manifest, so that what went into a release years ago is held against today's by the same
few lines: ``--explain``, the cache, a superseding release and ``evalkit verify`` all ask `differences`.
"""

from __future__ import annotations

__all__ = ["SECTIONS", "Change", "because", "differences", "key", "unused"]

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evalkit.words import Messages, marked, messages_for

SECTIONS = ("period", "inputs", "parameters", "publication", "code", "environment", "tools")
"""Sections of a manifest that say what went in; a release is up to date while all of them are as they were."""

_ONE_FILE = {"study": "protocol", "disclosure": "policy", "baselines": "baselines", "notebook": "notebook"}
# A value of a protocol may be a paragraph: the line that says what changed stays a line.
_SHOWN = 40
_WHO = ("publication", "publisher")
_KINDS = {
    "data": marked("table"),
    "parameter": marked("parameter"),
    "protocol": marked("protocol"),
    "policy": marked("policy"),
    "baselines": marked("baselines"),
    "notebook": marked("notebook"),
    "publication": marked("publication"),
    "code": marked("evalkit's code"),
    "environment": marked("environment"),
    "package": marked("package"),
    "tool": marked("tool"),
    "period": marked("period"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One part that is not what it was."""

    kind: str  # a key of `_KINDS`
    name: str  # a table, a parameter, a package; empty where the kind says it all
    old: str  # short; empty where it was not there
    new: str  # short; empty where it is not there any more

    def __str__(self) -> str:
        return self.said(messages_for("en-US"))

    def said(self, say: Messages) -> str:
        """Say the change in a language."""
        what = f"{say(_KINDS.get(self.kind, self.kind))} {self.name}".strip()
        if not self.old:
            return say("{what} is new", what=what)
        if not self.new:
            return say("{what} is not there any more", what=what)
        # Two digests say no more to a reader than that it changed.
        if self.old.startswith("sha256:"):
            return say("{what} changed", what=what)
        return say("{what} changed from {old} to {new}", what=what, old=self.old, new=self.new)

    @property
    def is_around(self) -> bool:
        """Whether it is of what a release was made with, and not of what it was made from."""
        return self.kind in {"code", "environment", "package", "tool"} or (self.kind, self.name) == _WHO

    def as_dict(self) -> dict[str, str]:
        """Return the change as plain values."""
        return {"kind": self.kind, "name": self.name, "old": self.old, "new": self.new}


def key(parts: Mapping[str, Any]) -> str:
    """Return the digest (64 hexadecimal digits) of all that goes into a release: of a manifest, or its sections."""
    # Over the named parts, not the text of the manifest: another version may order or add sections.
    flat = sorted((kind, name, value) for (kind, name), value in _flat(parts).items())
    return hashlib.sha256(json.dumps(flat, ensure_ascii=False).encode()).hexdigest()


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """List what differs between what went into two releases (manifests, or their sections), sorted by kind and name.

    Packages that the old one's run did not load are left out: see `unused`.
    """
    return [change for change in _all_differences(old, new) if not _is_unused(change, old)]


def unused(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """List what differs of packages that the old run could reach and did not load: they cannot have changed a thing."""
    return [change for change in _all_differences(old, new) if _is_unused(change, old)]


def _all_differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    then, now = _flat(old), _flat(new)
    changed = [at for at in sorted({*then, *now}) if then.get(at) != now.get(at)]
    return [Change(*at, _short(then.get(at, "")), _short(now.get(at, ""))) for at in changed]


def _is_unused(change: Change, old: Mapping[str, Any]) -> bool:
    loaded = old.get("loaded")  # not there: made before it was written down, so that all of them count
    return change.kind == "package" and isinstance(loaded, list) and change.name not in loaded


def because(changes: Sequence[Change], most: int = 6) -> str:
    """Write changes as one clause that names at most `most` of them.

    >>> because([Change("parameter", "tau", "30", "45"), Change("data", "exits", "sha256:a", "sha256:b")])
    'parameter tau changed from 30 to 45; table exits changed'
    """
    named = [str(change) for change in changes[:most]]
    left = len(changes) - len(named)
    return "; ".join([*named, f"and {left} more"] if left > 0 else named)


def _flat(parts: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Bring the sections to one list of named texts."""
    found: dict[tuple[str, str], str] = {("period", ""): str(parts.get("period", ""))}
    for name, facts in _section(parts, "inputs"):
        value = (
            f"sha256:{facts.get('hmac_sha256') or facts.get('sha256')}" if isinstance(facts, Mapping) else str(facts)
        )
        if name.startswith("table "):
            found["data", name.removeprefix("table ")] = value
        else:
            kind, _, which = name.partition(" ")
            found[_ONE_FILE.get(kind, kind), which] = value
    # The protocol's place is no part of it: another checkout has another one.
    found |= {("parameter", n): _text(v) for n, v in _section(parts, "parameters") if n not in {"study", "period"}}
    found |= {("publication", n): _text(v) for n, v in _section(parts, "publication")}
    code = dict(_section(parts, "code"))
    found["code", ""] = f"sha256:{code['sha256']}" if "sha256" in code else ""
    around = dict(_section(parts, "environment"))
    found |= {("package", n): str(v) for n, v in dict(around.pop("packages", {})).items()}
    found |= {("environment", n): str(v) for n, v in around.items()}
    found |= {("tool", n): str(v) for n, v in _section(parts, "tools")}
    return {at: value for at, value in found.items() if value}


def _section(parts: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    section = parts.get(name)
    return [(str(n), v) for n, v in section.items()] if isinstance(section, Mapping) else []


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _short(value: str) -> str:
    if value.startswith("sha256:"):
        return value[: len("sha256:") + 12]
    return value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"
