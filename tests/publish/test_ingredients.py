"""What goes into a release: a change in any one part is noticed and named, and nothing else is."""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import duckdb
import pytest
from packaging.utils import canonicalize_name

from evalkit import publish
from evalkit.intake import table_digests
from evalkit.periods import Period
from evalkit.protocol import Study, load_report, load_study
from evalkit.publish import RenderJob
from evalkit.publish._job import parameters_of, read_notebook
from evalkit.publish.release import _ingredients, _manifest
from evalkit.publish.release._ingredients import because, differences, key
from publish import standin

POLICY, BASELINES = "minimum_count: 11\n", "baselines: []\n"


def world(folder: Path) -> RenderJob:
    """Write a study that has everything that can go into a release."""
    study_file = standin.write_world(folder)
    text = study_file.read_text(encoding="utf-8").replace("baselines: null", "baselines: b.yaml\ndisclosure: d.yaml")
    study_file.write_text(text, encoding="utf-8")
    (folder / "d.yaml").write_text(POLICY, encoding="utf-8")
    (folder / "b.yaml").write_text(BASELINES, encoding="utf-8")
    (folder / "notebooks" / "helper.py").write_text("VALUE = 1\n", encoding="utf-8")
    return job_of(folder)


def job_of(folder: Path) -> RenderJob:
    study = load_study(folder / "study.yaml")
    return RenderJob(
        study=study,
        params=load_report(folder / "tiny.yaml"),
        params_file="tiny.yaml",
        period=Period.parse("2000Q4"),
        notebook=folder / "notebooks" / "tiny.ipynb",
        out=folder / "reports",
        log_folder=folder / "log",
        tables=functools.partial(table_digests, study),
    )


def parts(job: RenderJob, folder: Path) -> dict:
    notebook = read_notebook(job.notebook)
    return _manifest.went_in(job, notebook, parameters_of(job, notebook), folder)


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edit("participants.csv", "QX71", "QX79"), "table participants changed"),
        (edit("study.yaml", "title: A study", "title: Another study"), "protocol changed"),
        (edit("d.yaml", "11", "12"), "policy changed"),
        (edit("b.yaml", "[]", "[ ]"), "baselines changed"),
        (edit("notebooks/tiny.ipynb", "It is blue.", "It is red."), "notebook changed"),
        (edit("notebooks/helper.py", "1", "2"), "notebook module helper.py changed"),
        (edit("tiny.yaml", "horizon_days: 364", "horizon_days: 300"), "parameter horizon_days changed from 364 to 300"),
        (edit("tiny.yaml", "parameters:", "publication: {toc: true}\nparameters:"), "publication toc changed from false to true"),
        (lambda folder: (folder / "notebooks" / "helper.py").unlink(), "notebook module helper.py is not there any more"),
    ],
)  # fmt: skip
def test_a_change_of_a_file_is_named(tmp_path: Path, change: Callable[[Path], None], said: str) -> None:
    before = parts(world(tmp_path), tmp_path)
    change(tmp_path)
    after = parts(job_of(tmp_path), tmp_path)
    assert because(differences(before, after)) == said
    assert key(before) != key(after)


def test_a_change_of_code_tool_python_or_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = world(tmp_path)
    before = parts(job, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(_manifest, "code", lambda: {"evalkit": "0.1.0", "sha256": "0" * 64})
        assert because(differences(before, parts(job, tmp_path))) == "evalkit’s code changed"
    with monkeypatch.context() as patch:
        patch.setattr(_manifest, "tools_of", lambda *_: {"pandoc": before["tools"]["pandoc"], "typst": "9.9"})
        assert (
            because(differences(before, parts(job, tmp_path)))
            == f"tool typst changed from {before['tools']['typst']} to 9.9"
        )
    with monkeypatch.context() as patch:
        patch.setattr(_ingredients.platform, "python_version", lambda: "3.99.0")
        old = before["environment"]["python"]
        assert because(differences(before, parts(job, tmp_path))) == f"environment python changed from {old} to 3.99.0"
    with monkeypatch.context() as patch:
        other_version(tmp_path / "site", "seaborn", "9.9.9")
        patch.syspath_prepend(tmp_path / "site")
        old = before["environment"]["packages"]["seaborn"]
        assert because(differences(before, parts(job, tmp_path))) == f"package seaborn changed from {old} to 9.9.9"
    assert key(parts(job, tmp_path)) == key(before)


def other_version(site: Path, name: str, version: str) -> None:
    """Lay a package of another version before the installed one."""
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")


def test_code_is_known_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = tmp_path / "evalkit" / "publish"
    room.mkdir(parents=True)
    monkeypatch.setattr(_ingredients, "__file__", str(room / "_ingredients.py"))
    seen = set()
    for name, text in (("a.py", "1"), ("a.py", "2"), ("b.py", "2"), ("resources.css", "x")):
        (room / name).write_text(text, encoding="utf-8")
        seen.add(_ingredients.code()["sha256"])
    assert len(seen) == 4
    (room / "__pycache__").mkdir()
    (room / "__pycache__" / "a.pyc").write_bytes(b"x")
    assert _ingredients.code()["sha256"] in seen


def test_code_is_read_in_the_order_of_its_names_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path comes before another one part by part, its name letter by letter: `a-b.py` is before `a/b.py`."""
    room = tmp_path / "evalkit"
    (room / "a").mkdir(parents=True)
    monkeypatch.setattr(_ingredients, "__file__", str(room / "publish" / "release" / "_ingredients.py"))
    names = ["a-b.py", "a/b.py", "a0.py"]
    for name in names:
        (room / name).write_text(name, encoding="utf-8")
    told = "".join(f"{name}\0{hashlib.sha256(name.encode()).hexdigest()}\n" for name in names)
    assert _ingredients.code()["sha256"] == hashlib.sha256(told.encode()).hexdigest()


def test_place_and_time_are_no_part_of_it(tmp_path: Path) -> None:
    one, other = world(tmp_path / "one"), world(tmp_path / "other")
    parts(one, tmp_path)
    standin.give_secret(tmp_path / "one", tmp_path / "other")
    renamed = tmp_path / "other" / "protocol.yaml"
    (tmp_path / "other" / "study.yaml").rename(renamed)
    other = replace(other, study=load_study(renamed))
    assert key(parts(one, tmp_path)) == key(parts(other, tmp_path))
    said = str(parts(one, tmp_path))
    assert str(tmp_path) not in said
    assert sys.prefix not in said


def test_packages_that_only_the_notebook_imports_are_known() -> None:
    found = _ingredients.imported_packages(
        ["import pytest\nfrom os import path", "%matplotlib inline", "from . import x"]
    )
    assert found == {"pytest"}
    assert "pytest" not in _ingredients.environment()["packages"]
    assert "pytest" in _ingredients.environment(found)["packages"]


def test_packages_are_found_as_the_standard_library_finds_them() -> None:
    names = {*sys.modules, "pikepdf", "six", "yaml", "attr", "attrs", "dateutil", "mpl_toolkits"}
    owners = metadata.packages_distributions()
    known = [name for name in sorted({name.partition(".")[0] for name in names}) if name in owners]
    assert len(known) > 30
    for name in known:
        assert _ingredients._packages_of([name]) == set(owners[name]), name
    packages = _ingredients.environment(["pytest"])["packages"]
    assert packages == {name: metadata.version(name) for name in packages}
    for name in ("pandas", "ibis-framework", "pytest"):
        assert _ingredients._said(metadata.distribution(name), "Requires-Dist") == metadata.requires(name)


def test_what_publishes_is_read_from_our_files_as_python_reads_them() -> None:
    sources = [file.read_text(encoding="utf-8") for file in Path(publish.__file__).parent.rglob("*.py")]
    wanted = {canonicalize_name(name) for name in _ingredients.imported_packages(sources)}
    assert wanted > {"papermill", "pandas", "pikepdf"}
    assert _ingredients.loaded_packages([]) == wanted


def test_rows_of_a_database_have_a_digest_whatever_their_order(tmp_path: Path) -> None:
    def digest_of(rows: str) -> str:
        file = tmp_path / "s.duckdb"
        file.unlink(missing_ok=True)
        with duckdb.connect(str(file)) as connection:
            connection.execute(f"CREATE TABLE participants AS SELECT * FROM (VALUES {rows}) t(participant_id, n)")  # noqa: S608
        text = standin.STUDY.replace("{path: participants.csv}", "{}") + f"database: duckdb://{file}\n"
        (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
        study: Study = load_study(tmp_path / "study.yaml")
        return table_digests(study)["participants"]

    first = digest_of("('a', 1), ('b', 2), ('b', 2)")
    assert digest_of("('b', 2), ('a', 1), ('b', 2)") == first
    assert len({first, digest_of("('a', 1), ('b', 2)"), digest_of("('a', 2), ('b', 1), ('b', 2)")}) == 3
