"""What a release is made of, as plain values: the key by which it is known to be the same, and what differs by name.

Part of it is what a render runs on: evalkit's own code by its content, Python, and every package that it can reach. The
parts are sections of the manifest, so that what went into a release years ago is held against today's by the same few
lines: ``--explain``, the cache, a superseding release and ``evalkit verify`` all ask `differences`.
"""

from __future__ import annotations

__all__ = [
    "SECTIONS",
    "Change",
    "because",
    "checkout",
    "code",
    "differences",
    "digest",
    "environment",
    "imported_packages",
    "key",
    "loaded_packages",
    "unused",
]

import ast
import contextlib
import functools
import hashlib
import inspect
import json
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from evalkit._version import __version__
from evalkit.words import Messages, marked, messages_for

# Templates are copies of notebooks, which have digests of their own; the others take no part in a render's result.
_NOT_CODE = ("__pycache__", "_templates", "cli", "examples", "simulate", "site")
_OWN = frozenset({*sys.stdlib_module_names, "evalkit"})  # named by Python's version, and by our code's digest
# Of our own files, whose form the linter holds: parsing them takes ten times as long. A docstring's word does no harm.
_IMPORT = re.compile(r"^ *(?:from|import) (\w+)", re.MULTILINE)


def digest(file: Path) -> str:
    """Return a file's SHA-256.

    Parameters
    ----------
    file : pathlib.Path

    Returns
    -------
    str
        Hexadecimal.
    """
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def code() -> dict[str, str]:
    """Return evalkit's version, and the digest (names and contents) of the files that a render may load."""
    home = Path(__file__).resolve().parents[2]
    found = hashlib.sha256()
    for file in sorted(home.rglob("*"), key=lambda f: f.relative_to(home).as_posix()):
        name = file.relative_to(home)
        if file.is_file() and not set(_NOT_CODE) & set(name.parts):
            # A name cannot hold a zero byte: no two sets of files give the same text.
            found.update(f"{name.as_posix()}\0{digest(file)}\n".encode())
    return {"evalkit": __version__, "sha256": found.hexdigest()}


def checkout() -> dict[str, Any]:
    """Return the commit evalkit runs from, and whether tracked files differ; empty where there is no checkout."""
    home = Path(__file__).resolve().parents[4]
    git = shutil.which("git")
    if git is None or not (home / "pyproject.toml").is_file() or not (home / ".git").exists():
        return {}
    commit = _git(git, home, "rev-parse", "HEAD")
    changed = bool(_git(git, home, "status", "--porcelain", "--untracked-files=no"))
    return {"commit": commit, "changed": changed} if commit else {}


def _git(git: str, home: Path, *arguments: str) -> str:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        # The commit is a remark, and no part of the key: a git that waits (for a lock, a folder far away) stops no
        # render.
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            [git, "-C", str(home), *arguments], capture_output=True, text=True, timeout=20, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""
    return ""


def environment(more: Iterable[str] = ()) -> dict[str, Any]:
    """Return ``python``, ``platform`` and ``packages``: name and version of all that a render can reach.

    These are evalkit's requirements, theirs, and so on, and those of the packages that a notebook imports (`more`).
    """
    found: dict[str, str] = {}
    wanted: dict[str, list[str]] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(name, "") for name in ("evalkit", *more)]
    while waiting:
        name, extra = canonicalize_name(waiting[-1][0]), waiting.pop()[1]
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        with contextlib.suppress(metadata.PackageNotFoundError):
            if name not in found:
                package = metadata.distribution(name)
                (found[name],), wanted[name] = _said(package, "Version"), _said(package, "Requires-Dist")
            waiting += _requirements(wanted[name], extra)
    found.pop("evalkit", None)  # its content has a digest
    return {
        "python": platform.python_version(),
        "platform": f"{sys.platform}-{platform.machine()}",
        "packages": dict(sorted(found.items())),
    }


def _requirements(lines: Iterable[str], extra: str) -> list[tuple[str, str]]:
    return [part for line in lines for part in _required(line, extra)]


@functools.cache  # asked before and after the notebook runs
def _required(line: str, extra: str) -> tuple[tuple[str, str], ...]:
    """Return the package that a line of metadata asks for here, by name and extra."""
    with contextlib.suppress(InvalidRequirement):
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
            return tuple((wanted.name, more) for more in ("", *wanted.extras))
    return ()


def imported_packages(sources: Iterable[str]) -> set[str]:
    """Return the installed distributions that some code imports; cells that are no plain Python are passed over."""
    modules: set[str] = set()
    for source in sources:
        with contextlib.suppress(SyntaxError, ValueError):
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Import):
                    modules |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    modules.add(node.module.partition(".")[0])
    return _packages_of(modules - _OWN)


def loaded_packages(modules: Iterable[str]) -> set[str]:
    """Return the distributions that made a release: of `modules`, loaded when the run ended, and those that publish it.

    Their names are written as `environment` writes them.
    """
    home = Path(__file__).parents[1]
    ours = {name for file in home.rglob("*.py") for name in _IMPORT.findall(file.read_text(encoding="utf-8"))}
    top = {module.partition(".")[0] for module in modules} - _OWN
    return {canonicalize_name(name) for name in _packages_of(top | ours - _OWN)}


def _packages_of(modules: Iterable[str]) -> set[str]:
    owners = _owners()
    return {name for module in modules for one in owners.get(module, ()) for name in _said(one, "Name")}


# Asked several times a render; each reads the metadata of every package that is installed.
@functools.lru_cache(maxsize=1)
def _owners() -> Mapping[str, list[metadata.Distribution]]:
    """Return the distributions that own each importable name at the top.

    As `importlib.metadata.packages_distributions`, which parses metadata, descriptions and all: half a second.
    """
    found: dict[str, list[metadata.Distribution]] = {}
    for one in metadata.distributions():
        for top in _tops(one):
            found.setdefault(top, []).append(one)
    return found


def _tops(one: metadata.Distribution) -> set[str]:
    declared = (one.read_text("top_level.txt") or "").split()
    if declared:
        return set(declared)
    # Lines of RECORD as they are: a path object for each of 25,000 files takes longer than reading them.
    record = one.read_text("RECORD")
    files = [str(file) for file in one.files or ()] if record is None else re.findall(r"^[^,\n]+", record, re.MULTILINE)
    parts = [file.partition("/") for file in files]
    names = {first if inside else inspect.getmodulename(first) for first, inside, _ in parts}
    return {name for name in names if name and "." not in name}


def _said(one: metadata.Distribution, field: str) -> list[str]:
    """Return what a distribution says of itself in a field; parsed as an e-mail its description would be, too."""
    head = (one.read_text("METADATA") or one.read_text("PKG-INFO") or "").partition("\n\n")[0]
    return re.findall(rf"^{field}: *(.*?) *$", head, re.MULTILINE)


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
