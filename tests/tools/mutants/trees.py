"""Copies of the checkout in which faults are put, each with a Python of its own that imports nothing but the copy."""

from __future__ import annotations

import compileall
import hashlib
import py_compile
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LINKED = ("data/demo", "tests/web/node_modules")  # large, and written by nobody
SOURCES = "src/evalkit"
TESTS = ("tests", SOURCES)  # doctests stand in the sources


def files() -> list[str]:
    """Return the checkout's files, those not yet committed among them."""
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file())


def make(where: Path) -> Path:
    """Copy the checkout and return the Python that runs it.

    The Python is a thin environment: the copy's sources come before the packages of ours, and so before the editable
    install, in every process that is started with it, whatever its PYTHONPATH.
    """
    for name in files():
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, where / name)
    for name in LINKED:
        if (ROOT / name).exists():
            (where / name).parent.mkdir(parents=True, exist_ok=True)
            (where / name).symlink_to(ROOT / name)
    # Compiled files are checked by content: a fault of the same length within the same second must not be overlooked.
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(where / "src", quiet=2, invalidation_mode=mode)
    return python(where)


def python(where: Path) -> Path:
    """Make a copy's thin environment and return its Python."""
    room = where / ".venv"
    site = room / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    site.mkdir(parents=True)
    (room / "bin").mkdir()
    home = Path(sys._base_executable).resolve().parent
    (room / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")
    program = room / "bin" / "python"
    program.symlink_to(Path(sys._base_executable).resolve())
    packages = sysconfig.get_path("purelib")
    (site / "_copy.pth").write_text(f"{where / 'src'}\nimport site; site.addsitedir({packages!r})\n")
    return program


def digest(names: list[str]) -> str:
    """Return a digest of the names and contents of some files."""
    total = hashlib.sha256()
    for name in names:
        total.update(name.encode() + b"\0" + hashlib.sha256((ROOT / name).read_bytes()).digest())
    return total.hexdigest()


def test_files() -> list[str]:
    """Return the files that hold tests: modules of tests and, for their doctests, sources."""
    found = [n for n in files() if n.startswith("tests/") and Path(n).name.startswith("test_") and n.endswith(".py")]
    doctests = [n for n in files() if n.startswith(f"{SOURCES}/") and n.endswith(".py") and ">>> " in _text(n)]
    return found + doctests


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def sources() -> list[str]:
    """Return the files into which faults are put."""
    return [name for name in files() if name.startswith(f"{SOURCES}/") and name.endswith(".py")]


def package_of(name: str) -> str:
    """Return a source's package: its folder below ``src/evalkit``; ``evalkit`` for the modules at the top."""
    inner = Path(name).relative_to(SOURCES).parent.as_posix()
    return "evalkit" if inner == "." else inner.replace("/", ".")
