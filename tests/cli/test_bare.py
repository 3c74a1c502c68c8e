"""Bare surroundings on every unattended path: an unknown user without a home, a checkout that is read only, a full disk,
nobody who reads. One line, the right code, and nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from evalkit.cli._schedule import run as write_schedule
from evalkit.errors import ReleaseError
from evalkit.protocol import Study, load_study, private_folder
from evalkit.publish.release._move import adopt_releases, export_private, import_private
from publish import made, standin
from publish.crash import write_light_world

RELEASE = "reports/tiny/tiny/2000Q4"
PROGRAM = [sys.executable, "-c", "from evalkit.cli import main; main()"]
# A user that no passwd file knows; what lies in root's folders (Python, here) he may read, and write nothing of it.
NOBODY = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "--inh-caps=+dac_read_search",
          "--ambient-caps=+dac_read_search"]  # fmt: skip
COMMANDS = {
    "status": ["status", "tiny", "--json"],
    "schedule": ["schedule", "tiny", "--print", "systemd", "--to", "units"],
    "render": ["render", "tiny", "--json", "--to", "html", "--period", "2000Q2"],
    "verify": ["verify", RELEASE, "--quick"],
    "draft": ["draft", "tiny", "--no-browser"],
    "export": ["ledger", "export", "export.tar"],
    "import": ["ledger", "import", "export.tar"],
    "adopt": ["ledger", "adopt", "--why", "It is gone."],
    "archive": ["archive", RELEASE],
    "approve": ["approve", RELEASE, "--name", "Ann", "--reason", "fine"],
    "site": ["site", "--out", "out"],
    "withdraw": ["withdraw", RELEASE, "Wrong."],
}
FULL = "No space left on device"


def world(folder: Path, name: str = "") -> Study:
    """Write a study with two releases, as it is where a command is called."""
    folder.mkdir(exist_ok=True, parents=True)
    if name == "draft":  # a kernel that goes on: its marks need the whole
        standin.write_world(folder)
    else:
        write_light_world(folder)
    for each in ("tmp", "state"):
        (folder / each).mkdir()
    study = load_study(folder / "study.yaml")
    made.publish(study, "2000Q3")
    made.publish(study)
    if name == "import":
        export_private(study, folder / "export.tar")
        shutil.rmtree(private_folder(study))
    if name == "adopt":
        shutil.rmtree(private_folder(study) / "ledger")
    return study


def call(
    folder: Path, name: str, *before: str, env: dict[str, str] | None = None, **more: object
) -> tuple[int, str, list[str]]:
    """Run a command; return its code, what it put out and the lines of what it complained of."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
    done = subprocess.run(
        [*before, *PROGRAM, *COMMANDS[name], "--study", "study.yaml"], cwd=folder, text=True, timeout=300, check=False,
        env=standin.environment(folder) if env is None else env, stdin=subprocess.DEVNULL, **options,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "QX7" not in done.stderr + (done.stdout or "")
    return done.returncode, done.stdout or "", [line for line in done.stderr.splitlines() if not line.startswith("[")]


def files(folder: Path) -> dict[str, int]:
    return {str(p.relative_to(folder)): p.stat().st_size for p in sorted(folder.rglob("*"))
            if p.is_file() and p.name not in {"render.lock", "filler"}}  # fmt: skip


unknown_user = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="becoming an unknown user needs root and setpriv"
)


@pytest.fixture
def entered() -> Iterator[Path]:
    """A folder that everybody can enter: pytest's own are root's alone."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made) / "world"


@unknown_user
@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), [(name, 10 if name == "status" else 0) for name in COMMANDS])
def test_without_environment_home_terminal_or_name_everything_works(entered: Path, name: str, code: int) -> None:
    world(entered, name)
    entered.chmod(0o755)
    for path in (entered, *entered.rglob("*")):
        os.chown(path, 12345, 12345)
    done, out, lines = call(entered, name, *NOBODY, env={})
    assert (done, lines) == (code, []), (
        out
    )  # 10: both releases differ from what would be made now, and are not superseded
    assert "~" not in {path.name for path in entered.iterdir()}


@unknown_user
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("status", 3, ""), ("schedule", 10, "cannot be written (Permission denied)"), ("render", 3, "is not in the log of runs"),
        ("verify", 0, ""), ("draft", 3, "cannot be written, and there is no home"),
        ("export", 3, "cannot be written, and there is no home to use in its place"), ("adopt", 3, "cannot be written, and there is no home"),
        ("archive", 10, "cannot be written (Permission denied)"), ("approve", 3, "cannot be written, and there is no home"),
        ("site", 10, "cannot be written (Permission denied)"), ("withdraw", 3, "cannot be written, and there is no home"),
    ],
)  # fmt: skip
def test_in_a_checkout_that_is_read_only_a_line_says_so(entered: Path, name: str, code: int, said: str) -> None:
    world(entered, name)
    entered.chmod(0o755)
    before = files(entered)
    done, out, lines = call(entered, name, *NOBODY, env={})
    assert (done, len(lines)) == (code, int(bool(said)))
    assert said in "".join(lines)
    if name in {"status", "render"}:
        assert json.loads(out)["exit_code"] == code
    assert files(entered) == before


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    with standin.mounted(tmp_path / "small", "size=8m,mode=755") as folder:
        yield folder


def fill(folder: Path) -> Path:
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as stream:
        try:
            while stream.write(b"x" * 4096):
                pass
        except OSError:
            return filler
    return filler


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "said"),
    [("status", ""), ("verify", ""), ("draft", "the draft is as it was"), ("render", "is not in the log of runs"), ("archive", FULL), ("site", "the site is as it was"),
     ("approve", "nothing was approved"), ("withdraw", "nothing was withdrawn")],
)  # fmt: skip
def test_on_a_full_disk_a_line_says_so_and_nothing_is_half_written(full: Path, name: str, said: str) -> None:
    world(full, name)
    filler = fill(full)
    before = files(full)
    code, _, lines = call(full, name)
    assert code == (0 if name == "verify" else 10)
    assert said in "\n".join(lines)
    assert len(lines) == (2 if name == "render" else int(bool(said)))  # the log cannot be written, either
    assert files(full) == before
    filler.unlink()
    assert call(full, name)[0] == (10 if name == "status" else 0)  # nothing that it left stands in the way


@pytest.mark.parametrize("name", ["export", "import", "adopt"])
def test_a_full_disk_leaves_no_half_of_a_private_folder(full: Path, name: str) -> None:
    study = world(full, name)
    act = {
        "export": lambda: export_private(study, full / "export.tar"),
        "import": lambda: import_private(study, full / "export.tar"),
        "adopt": lambda: adopt_releases(study, full / "reports", "It is gone."),
    }[name]
    private_folder(study)
    filler = fill(full)
    before = files(full)
    with pytest.raises(ReleaseError, match=rf"cannot be written \({FULL}\); nothing was {name}ed"):
        act()
    assert files(full) == before
    filler.unlink()
    act()


def test_a_full_disk_leaves_no_half_of_a_unit(full: Path, tmp_path: Path) -> None:
    world(full)
    fill(full)
    with pytest.raises(ReleaseError, match=rf"\.service: cannot be written \({FULL}\)"):
        write_schedule("systemd", "tiny", full / "study.yaml", tmp_path, full / "units")
    assert [path for path in (full / "units").rglob("*") if path.is_file()] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_done_is_done_when_nobody_reads_of_it(tmp_path: Path, name: str) -> None:
    world(tmp_path, name)
    before = files(tmp_path)
    reader, writer = os.pipe()
    os.close(reader)
    code, _, lines = call(tmp_path, name, stdout=writer)
    os.close(writer)
    assert (code, lines) == (141, [])
    assert (files(tmp_path) == before) is (name in {"status", "verify"})
    if name == "schedule":
        assert len(list((tmp_path / "units").iterdir())) == 3
