"""Scratch folders: what a dead render left is taken away, and nothing that is not marked as its."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from evalkit.publish.rendering._machine import ENVIRONMENT, scratch_folder, sweep
from publish.crash import write_light_world
from publish.standin import command, environment

MAKER = """
import sys, time
from pathlib import Path
from evalkit.publish.rendering._machine import scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("written")
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that a killed process left, with its marker beside it."""
    place = tmp_path_factory.mktemp("left")
    child = subprocess.Popen([sys.executable, "-c", MAKER, str(place)], stdout=subprocess.PIPE, text=True)
    with child:
        assert child.stdout is not None
        folder = Path(child.stdout.readline().strip())
        child.send_signal(signal.SIGKILL)
    assert (folder / "half").is_file()
    return folder


@pytest.fixture
def dead(tmp_path: Path, left: Path) -> Path:
    """Return the same, in ``tmp_path``."""
    shutil.copytree(left.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / left.name


def marker_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.owner")


def test_nothing_is_left_of_a_folder_that_was_used(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert marker_of(folder).stat().st_mode & 0o777 == 0o600
        told = json.loads(marker_of(folder).read_text(encoding="utf-8"))
        assert (told["owner"], told["pid"], told["folder"]) == (os.geteuid(), os.getpid(), folder.name)
        assert sweep(tmp_path) == 0  # its process lives
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_a_killed_render_leaves_neither_text_nor_its_kernels_key(tmp_path: Path) -> None:
    """Sockets lie in a folder of their own, where the path is short enough for one."""
    write_light_world(tmp_path)
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        options = {"cwd": tmp_path, "env": environment(tmp_path, TMPDIR=short), "stderr": subprocess.PIPE, "text": True}
        child = subprocess.Popen(command(tmp_path, "--to", "html"), stdout=subprocess.DEVNULL, **options)
        assert child.stderr is not None
        assert any("cell 3" in line for line in child.stderr), "it ended before"
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=30)
        assert list(Path(short).glob("ek-*/kernel.json")) != []
        done = subprocess.run(command(tmp_path, "--to", "html"), stdout=subprocess.DEVNULL, check=False, **options)
        assert done.returncode == 0, done.stderr
        assert list(Path(short).iterdir()) == []


def test_what_a_killed_render_left_is_taken_away(tmp_path: Path, dead: Path) -> None:
    assert sweep(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []
    assert not dead.exists()


@pytest.mark.parametrize("name", ["evalkit-mine", "evalkit-0123456789ab", ".new-evalkit-x", "evalkit-"])
def test_a_folder_of_that_name_without_a_marker_is_a_user_s_own(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "thesis.txt").write_text("work", encoding="utf-8")
    os.utime(tmp_path / name, (0, 0))
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], cwd=tmp_path / name)
    try:
        assert sweep(tmp_path) == 0
        assert (tmp_path / name / "thesis.txt").read_text(encoding="utf-8") == "work"
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()


def changed(**more: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        told = json.loads(marker_of(folder).read_text(encoding="utf-8"))
        marker_of(folder).write_text(json.dumps({**told, **more}), encoding="utf-8")

    return change


def linked(folder: Path) -> None:
    marker_of(folder).rename(folder.with_name("elsewhere"))
    marker_of(folder).symlink_to(folder.with_name("elsewhere"))


def piped(folder: Path) -> None:
    marker_of(folder).unlink()
    os.mkfifo(marker_of(folder))


def living(folder: Path) -> None:
    changed(pid=os.getpid(), started=psutil.Process().create_time())(folder)


@pytest.mark.parametrize(
    "change",
    [
        changed(kind="notes"), changed(folder="evalkit-other"), changed(owner=12345), changed(pid="x"), changed(started=None),
        linked, piped, living, lambda folder: marker_of(folder).write_bytes(b""),
        lambda folder: marker_of(folder).write_text("[1, 2]"), lambda folder: marker_of(folder).write_bytes(b"\xff{"),
        lambda folder: marker_of(folder).unlink(),
    ],
)  # fmt: skip
def test_a_marker_that_does_not_say_so_protects_the_folder(
    tmp_path: Path, dead: Path, change: Callable[[Path], None]
) -> None:
    change(dead)
    assert sweep(tmp_path) == 0
    assert (dead / "half").is_file()


def test_a_number_that_another_process_has_now_is_no_sign_of_life(tmp_path: Path, dead: Path) -> None:
    changed(pid=os.getpid(), started=1.0)(dead)
    assert sweep(tmp_path) == 1


def test_no_link_is_followed(tmp_path: Path, dead: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "thesis.txt").write_text("work", encoding="utf-8")
    (dead / "link").symlink_to(tmp_path / "own")
    assert sweep(tmp_path) == 1
    assert (tmp_path / "own" / "thesis.txt").is_file()


def test_a_link_in_the_folder_s_place_is_left(tmp_path: Path, dead: Path) -> None:
    own = tmp_path / "own"
    dead.rename(own)
    dead.symlink_to(own)
    assert sweep(tmp_path) == 0
    assert (own / "half").is_file()


def test_only_what_a_render_started_is_ended(tmp_path: Path, dead: Path) -> None:
    program = [sys.executable, "-c", "import time; time.sleep(600)"]
    ours = subprocess.Popen(program, env={**os.environ, ENVIRONMENT: str(dead / "embedded")})
    visitor = subprocess.Popen(program, cwd=dead)  # somebody looks into the folder with a shell
    try:
        time.sleep(0.2)
        assert sweep(tmp_path) == 1
        ours.wait(timeout=10)
        assert visitor.poll() is None
    finally:
        for child in (ours, visitor):
            child.kill()
            child.wait()
