"""What is said of a release: every line of a verification, and every word of the pack that a person checks."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from evalkit.protocol import private_folder
from evalkit.publish import write_pack
from evalkit.publish._verify import Verification, _as_then, _compared, _grown, _secret
from evalkit.publish.release._changes import NumberChange
from evalkit.publish.release._ingredients import Change, digest
from evalkit.publish.release._place import Waiting, hold, is_waiting, waiting_at
from evalkit.publish.release._review import keep_for_review
from evalkit.publish.release._standing import Standing
from publish.made import study_in
from publish.test_review import ESTIMATE, RECORD, executed
from publish.test_review import released as _released

released = _released

# -- verification ------------------------------------------------------------------------------------------------------
TAU = Change("parameter", "tau", "30", "45")
HIGHER, OTHER = NumberChange("fig-a", "group Pilot", "n", 20, 25), NumberChange("tbl-b", "group PAIP", "n", None, 4)


def test_every_line_of_a_verification() -> None:
    found = Verification(
        Path("there"), {"revision": 3}, ("it was changed",), ("3 files",), ("its place",), (TAU,), (HIGHER, OTHER), {"fig-a": (4, 5), "tbl-b": (2, 2)}
    )  # fmt: skip
    assert list(found.lines()) == [
        "there (revision 3)", "  ok: 3 files", "  not checked: its place", "  DIFFERS: fig-a: 4 of 5 numbers the same",
        "  ok: tbl-b: 2 of 2 numbers the same", "  DIFFERS: fig-a, group Pilot, n: 20 before, 25 now",
        "  DIFFERS: tbl-b, group PAIP, n: missing before, 4 now", "  DIFFERS: parameter tau changed from 30 to 45", "  DIFFERS: it was changed",
    ]  # fmt: skip
    assert found.why == "it was changed; parameter tau changed from 30 to 45; 2 published numbers differ (fig-a, tbl-b)"
    assert list(Verification(Path("there"), {}).lines()) == ["there (revision 1)"]
    assert (
        replace(found, problems=(), numbers=(HIGHER, HIGHER)).why
        == "parameter tau changed from 30 to 45; 2 published numbers differ (fig-a)"
    )


@pytest.mark.parametrize(
    ("more", "good"), [({}, True), ({"unchecked": ("x",)}, True), ({"problems": ("x",)}, False), ({"changes": (TAU,)}, False), ({"numbers": (HIGHER,)}, False)]
)  # fmt: skip
def test_a_release_is_good_where_nothing_differs(more: dict[str, Any], good: bool) -> None:
    found = Verification(Path("there"), {}, **more)
    assert (found.good, found.why == "") == (good, good)


def entry(output: str, file: Path | None, content: str = "same") -> dict[str, str]:
    return {"output": output, "shows": "figure", "content": content, **({"numbers": digest(file)} if file else {})}


def world(folder: Path, now: str, content: str = "same", page: str = "page") -> tuple[Verification, Any]:
    """A release of two numbers and a sentence, and the same made again with other numbers, words or bytes."""
    release, again = folder / "release", folder / "again"
    for place, numbers, words in ((release, "20,0.5", "page"), (again, now, page)):
        (place / "data").mkdir(parents=True)
        (place / "data" / "fig-a.csv").write_text(f"group,n,estimate\nPilot,{numbers}\n", encoding="utf-8")
        (place / "report.html").write_text(words, encoding="utf-8")
    names = ("data/fig-a.csv", "report.html")
    outputs = {name: {"sha256": digest(release / name)} for name in names}
    then = {"published": [entry("fig-a", release / names[0]), entry("cell-3", None)], "outputs": outputs}
    facts = {"published": [entry("fig-a", again / names[0]), entry("cell-3", None, content)]}
    files = {name: again / name for name in (*names, "more.txt") if (again / name).is_file()}
    return Verification(release, then), SimpleNamespace(facts=facts, files=files)


SAME, BYTES = "every output is the same", "made again, every file has the same bytes as when it was published"


@pytest.mark.parametrize(
    ("now", "content", "page", "same", "said", "problems"),
    [
        ("20,0.5", "same", "page", 2, (SAME, BYTES), ()),
        ("25,0.5", "same", "page", 1, (), ()),
        ("25,0.6", "same", "page", 0, (), ()),
        ("20,0.5", "else", "page", 2, (BYTES,), ("cell-3: other words or another look",)),
        ("20,0.5", "same", "else", 2, (SAME,), ("report.html: other bytes",)),
    ],
)  # fmt: skip
def test_a_release_made_again(
    now: str, content: str, page: str, same: int, said: tuple[str, ...], problems: tuple[str, ...], tmp_path: Path
) -> None:
    found = _compared(*world(tmp_path, now, content, page), Standing(tmp_path))
    assert (found.counts, found.said, found.problems) == ({"fig-a": (same, 2)}, said, problems)
    assert [one.column for one in found.numbers] == ["n", "estimate"][: 2 - same]


def test_other_bytes_are_no_news_where_something_else_went_in(tmp_path: Path) -> None:
    found, made = world(tmp_path, "20,0.5", page="else")
    assert _compared(replace(found, changes=(TAU,)), made, Standing(tmp_path)).problems == ()


def test_a_release_is_made_again_with_what_it_was_made_with() -> None:
    class Params(SimpleNamespace):
        def model_copy(self, update: dict[str, Any]) -> Params:
            return Params(**{**vars(self), **update})

    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Job:
        params: Any
        overrides: Any
        supersede: str
        force: bool

    job = Job(
        Params(parameters={"tau": 1}, publication=Params(publisher="auto", to=["pdf"], toc=True)),
        {"tau": "9"},
        "why",
        False,
    )
    then = {
        "parameters": {"tau": 45, "study": "s.yaml", "period": "2000Q4"},
        "publication": {"publisher": "embedded", "to": ["html"]},
    }
    again = _as_then(job, then)  # type: ignore[arg-type]
    assert again.params.parameters == {"tau": 45}
    assert vars(again.params.publication) == {"publisher": "embedded", "to": ["html"], "toc": True}
    assert (again.overrides, again.supersede, again.force) == ({}, "", True)


@pytest.mark.parametrize(
    ("newest", "now", "kind", "grown"),
    [
        ("2001-01-01", "a", "data", True),
        ("2000-12-31", "a", "data", False),  # nothing came after the cut: something else changed
        (None, "a", "data", False),
        ("2001-01-01", "b", "data", False),  # it says another thing of the time up to the cut
        ("2001-01-01", None, "data", False),  # nobody can tell
        ("2001-01-01", "a", "parameter", False),
    ],
)
def test_a_table_that_only_grew_since_the_cut(
    newest: str | None, now: str | None, kind: str, grown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"sessions": "s"} if now is None else {"exits": now, "sessions": "s"}
    monkeypatch.setattr("evalkit.publish._verify.known_then", lambda _: known)
    job = SimpleNamespace(
        period=SimpleNamespace(cut=date(2000, 12, 31)), newest_days={"exits": newest, "sessions": "2001-01-01"}
    )
    change = Change(kind, "exits", "sha256:a", "sha256:b")
    then = {"known": {"exits": "a", "sessions": "s"} if now is not None else {"sessions": "s"}}
    assert _grown([change], then, job) == ((change,) if grown else ())  # type: ignore[arg-type]


def test_what_another_secret_leaves_unknown(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    unknown = "whether the tables are the same files and rows: the study's secret"
    assert _secret(study, {"secret": "abc"})[1] == f"{unknown} is not here"
    assert _secret(study, {})[1] == ""
    from evalkit.protocol import study_secret

    own = study_secret(study)
    assert _secret(study, {"secret": own.id}) == (own, "")
    assert _secret(study, {"secret": "abc"})[1] == f"{unknown} here is another one"
    assert _secret(study, {}) == (own, "")


# -- releases that wait ------------------------------------------------------------------------------------------------
def test_a_release_is_kept_whole_and_private_until_it_is_approved(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    target, source = tmp_path / "reports" / "tiny" / "tiny" / "2000Q4", tmp_path / "page"
    source.write_text("<p>1</p>", encoding="utf-8")
    facts = {
        "manifest": 3,
        "study": "tiny",
        "report": "tiny",
        "period": "2000Q4",
        "outputs": {},
        "parameters": {"a": 1},
    }
    manifest = tmp_path / "manifest"
    manifest.write_text(json.dumps(facts), encoding="utf-8")
    files = {"report.html": source, "data/one.csv": source, "manifest.json": manifest}
    for supersedes in (None, 2):  # the second makes the first give way
        place = hold(study, files, Waiting(target, supersedes, "tiny-2000Q4-r3", "d"))
    assert place == private_folder(study) / "waiting" / "tiny" / "2000Q4"
    assert {f.relative_to(place).as_posix(): f.stat().st_mode & 0o777 for f in place.rglob("*")} == {
        "data": 0o700, "data/one.csv": 0o600, "report.html": 0o600, "manifest.json": 0o600,
    }  # fmt: skip
    assert json.loads((place.with_name(".2000Q4") / "about.json").read_text(encoding="utf-8")) == {
        "target": str(target), "supersedes": 2, "name": "tiny-2000Q4-r3", "there": "d",
    }  # fmt: skip
    assert [is_waiting(one, study) for one in (place, target, private_folder(study))] == [True, False, False]
    assert waiting_at(study, target, facts) == place
    assert waiting_at(study, target, facts | {"parameters": {"a": 2}}) is None
    assert waiting_at(study, target.with_name("2000Q3"), facts) is None
    (place / "manifest.json").write_text("{}", encoding="utf-8")
    assert waiting_at(study, target, facts) is None


# -- the pack that a person checks -------------------------------------------------------------------------------------
def words_of(page: str) -> list[str]:
    """The words of a page, without its style sheet."""
    return re.sub(r"<style>.*?</style>|<[^>]*>", "\n", page, flags=re.DOTALL).replace("\n\n", "\n").split("\n")


def test_every_word_of_the_pack(released: Any) -> None:
    release, study = released
    facts = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    excuse = {"table": "exits", "rule": "R1", "until": "2023-01-01", "by": "Ann", "reason": "<late>"}
    (release / "manifest.json").write_text(
        json.dumps({**facts, "overrides": ["tau=<9>"], "excused": [excuse]}), encoding="utf-8"
    )
    (release.parent / "record.jsonl").write_text(json.dumps(RECORD) + "\n", encoding="utf-8")
    keep_for_review(
        study, release / "manifest.json", executed(), release.parent / "record.jsonl", {"small_counts": 2, "counts": 40}
    )
    pack = write_pack(release, study)
    page = (pack / "index.html").read_text(encoding="utf-8")
    said = [word for word in words_of(page) if word.strip()]
    start = said.index("Policy applied")
    assert said[:start] == [
        "Output check: tiny 2000Q4", "Output check: tiny 2000Q4", "Private.", " This page holds exact counts. It must not leave the team.",
        "1 outputs, 4 counts underneath, 2 of them not shown. Files: ", "outputs.csv", ", ", "counts.csv", ".",
        "Disclosure control: counts 40, small counts 2.",
    ]  # fmt: skip
    rest = said[said.index("Exceptions asked for") :]
    assert rest[:5] == [
        "Exceptions asked for", "tau=&lt;9&gt;", "Rules that the tables break, excused", "exits: R1, until 2023-01-01 (Ann): &lt;late&gt;", "Outputs",
    ]  # fmt: skip
    assert [word.strip() for word in rest[5:]] == [
        f"Cell 3: funnel, partly {ESTIMATE}", "45", "Underneath", "what", "column", "exact", "shown", "published", "rule",
        "all", "n", "43", "yes", "45.0", "noise of the people", "=north", "n", "7", "no", "NaN", "withheld: fewer than 11",
        "south", "n", "14", "no", "NaN", "withheld with its row", "some", "n", "30", "yes", "31.0",
        "noise of the question: who they are is not known",
    ]  # fmt: skip
    outputs = pd.read_csv(pack / "outputs.csv", dtype=str)
    assert outputs.to_dict("records") == [
        {"cell": "3", "shows": "table", "kind": "funnel", "estimate": ESTIMATE, "verdict": "partly"}
    ]
    counts = pd.read_csv(pack / "counts.csv", dtype=str)
    assert list(counts) == [
        "cell",
        "line",
        "estimate",
        "kind",
        "verdict",
        "what",
        "column",
        "exact",
        "shown",
        "published",
        "rule",
    ]
    assert counts.iloc[0].tolist()[:9] == ["3", "0", ESTIMATE, "funnel", "partly", "all", "n", "43", "yes"]
