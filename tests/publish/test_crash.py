"""Whatever dies, and whenever: no half release is seen, none is lost, and the next render works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from publish.crash import write_light_world
from publish.standin import environment, published
from publish.test_render import last_line, run

HERE = Path(__file__).parent


def program(name: str, *arguments: object) -> str:
    env = {**os.environ, "PYTHONPATH": str(HERE.parent), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    call = [sys.executable, str(HERE / name), *map(str, arguments)]
    done = subprocess.run(call, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("mode", ["exchange", "fallback"])
def test_killed_before_each_step_of_placing(tmp_path: Path, mode: str) -> None:
    assert int(program("crash_place.py", tmp_path, mode)) > 15


@pytest.mark.parametrize("kills", [4, pytest.param(30, marks=pytest.mark.slow)])
def test_killed_at_random_moments(tmp_path: Path, kills: int) -> None:
    seen = json.loads(program("crash.py", tmp_path, kills, 20211118 + kills))
    assert seen["wrong"] == []
    assert seen["last"] == 0, (tmp_path / "said.txt").read_text(encoding="utf-8")
    assert seen["final"] == 2 + seen["ended"]
    assert (seen["left"], seen["living"]) == ([], [])


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[None]:
    place.mkdir(exist_ok=True)
    call = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(call, check=False, capture_output=True).returncode != 0:
        pytest.skip("a small disk needs the right to mount one")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_publishes_nothing_and_loses_nothing(tmp_path: Path) -> None:
    write_light_world(tmp_path)
    with small_disk(tmp_path / "reports", "260k"):
        assert run(tmp_path, "--to", "html").returncode == 0
        before = published(tmp_path)
        (tmp_path / "reports" / "other.bin").write_bytes(b"x" * 60_000)
        done = run(tmp_path, "--to", "html", "--supersede", "Once more", "--force")
        assert done.returncode == 10, done.stderr
        assert "No space left on device" in last_line(done)
        assert published(tmp_path) == sorted([*before, "other.bin"])
        (tmp_path / "reports" / "other.bin").unlink()
        subprocess.run(["mount", "-o", "remount,size=8m", str(tmp_path / "reports")], check=True)
        assert run(tmp_path, "--to", "html", "--supersede", "Once more", "--force").returncode == 0
        assert len(published(tmp_path)) == 2 * len(before)


def test_a_full_scratch_disk_is_told(tmp_path: Path) -> None:
    write_light_world(tmp_path)
    environment(tmp_path)
    with small_disk(tmp_path / "tmp", "32k"):
        done = run(tmp_path, "--to", "html")
        assert done.returncode in {7, 10}, done.stderr
        assert "no room left on the disk" in last_line(done)
        assert "Traceback" not in done.stderr
        assert published(tmp_path) == []
    done = run(tmp_path, "--to", "html")
    assert done.returncode == 0, done.stderr
