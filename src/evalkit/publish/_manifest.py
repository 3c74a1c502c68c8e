"""The manifest: what went into a release and what came out, so that it can be made again."""

from __future__ import annotations

__all__ = ["code_version", "digest", "package_versions", "write_manifest"]

import contextlib
import hashlib
import json
import platform
import shutil
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from evalkit._version import __version__

_PACKAGES = (
    "duckdb", "formulaic", "great-tables", "ibis-framework", "ipykernel", "lifelines", "matplotlib", "nbclient",
    "nbformat", "numpy", "pandas", "pandera", "papermill", "pyarrow", "pydantic", "pypandoc-binary", "scipy", "seaborn",
    "statsmodels", "typst",
)  # fmt: skip


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


def package_versions() -> dict[str, str]:
    """Return the versions of the packages a number can depend on.

    Returns
    -------
    dict
        Package: version.
    """
    found = {}
    for name in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def code_version() -> dict[str, Any]:
    """Return evalkit's version, and its commit where it runs from a checkout.

    Returns
    -------
    dict
        ``evalkit``, and from a checkout ``commit`` and ``changed`` (whether tracked files differ from it).
    """
    said: dict[str, Any] = {"evalkit": __version__}
    home = Path(__file__).resolve().parents[3]
    git = shutil.which("git")
    if git is None or not (home / "pyproject.toml").is_file() or not (home / ".git").exists():
        return said
    commit = _git(git, home, "rev-parse", "HEAD")
    if commit:
        said |= {
            "commit": commit,
            "changed": bool(_git(git, home, "status", "--porcelain", "--untracked-files=no")),
        }
    return said


def _git(git: str, home: Path, *arguments: str) -> str:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            [git, "-C", str(home), *arguments], capture_output=True, text=True, timeout=20, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""
    return ""


def write_manifest(facts: Mapping[str, Any], outputs: Mapping[str, Path], file: Path) -> Path:
    """Write a manifest.

    Parameters
    ----------
    facts : mapping
        Everything but outputs and environment; plain values.
    outputs : mapping of str to pathlib.Path
        Name in the release: finished file.
    file : pathlib.Path

    Returns
    -------
    pathlib.Path
        ``file``.
    """
    content = {
        "manifest": 1,
        **facts,
        "code": code_version(),
        "environment": {"python": platform.python_version(), "packages": package_versions()},
        "outputs": {name: {"sha256": digest(path)} for name, path in sorted(outputs.items())},
    }
    file.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    return file
