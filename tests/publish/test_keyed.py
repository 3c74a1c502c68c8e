"""The manifest tells nothing of the tables: whoever knows one person and tries everything else finds nothing."""

from __future__ import annotations

import hashlib
import itertools
import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evalkit.cli._render import Request, plan
from evalkit.intake import KnownDigests, StudyData, _open, known_digests, open_data, table_digests
from evalkit.protocol import Secret, Study, study_secret
from evalkit.publish import RenderJob
from evalkit.publish._job import Recorded, parameters_of, read_notebook
from evalkit.publish.release._ingredients import differences, key
from evalkit.publish.release._manifest import as_keyed, known_then, went_in
from publish.standin import write_world

REASONS = ("completed", "dropped_out", "moved")
DAYS = [f"2000-03-{day:02d}" for day in range(1, 29)]


def world(folder: Path, period: str = "2000Q4") -> RenderJob:
    """Write a study in which one exit is recorded."""
    file = write_world(folder)
    text = file.read_text(encoding="utf-8").replace(
        "participants.csv}", "participants.csv}, exits: {path: exits.csv, freshness_days: 366}"
    )
    file.write_text(text, encoding="utf-8")
    (folder / "exits.csv").write_text("participant_id,exit_date,reason\nQX71,2000-03-14,moved\n", encoding="utf-8")
    request = Request(report="tiny", periods=(period,), studies=(file,), out=folder / "reports")
    job = plan(request, file)[0]
    return replace(job, secret=study_secret(job.study))


def said(job: RenderJob) -> dict[str, Any]:
    notebook = read_notebook(job.notebook)
    parts = went_in(job, notebook, parameters_of(job, notebook), job.out.parent)
    return {**parts, "key": key(parts), "known": known_then(job)}


def guesses(folder: Path) -> Iterator[set[str]]:
    """Yield all digests that somebody can make who knows one participant's identifier, for each day and reason."""
    for day, reason in itertools.product(DAYS, REASONS):
        job = world(folder)
        (folder / "exits.csv").write_text(f"participant_id,exit_date,reason\nQX71,{day},{reason}\n", encoding="utf-8")
        known = known_digests(job.study, job.period.cut)
        yield {
            *table_digests(job.study).values(),
            *known.values(),
            key({"inputs": {"table exits": {"sha256": known["exits"]}}}),
        }
        if day == DAYS[1]:
            return


def test_the_attacker_finds_the_exit_where_digests_are_plain(tmp_path: Path) -> None:
    """It has teeth: with the digests as they were, one of the guesses is the manifest's."""
    job = world(tmp_path / "theirs")
    plain = known_digests(job.study, job.period.cut)["exits"]
    guess = world(tmp_path / "mine")
    assert known_digests(guess.study, guess.period.cut)["exits"] == plain
    assert plain not in json.dumps(said(job))


def test_no_guess_is_in_the_manifest(tmp_path: Path) -> None:
    told = json.dumps(said(world(tmp_path / "theirs")))
    guess = world(tmp_path / "mine")
    right = {*table_digests(guess.study).values(), *known_digests(guess.study, guess.period.cut).values()}
    assert len(right) == 5
    for one in [right, *guesses(tmp_path / "mine")]:
        assert not [digest for digest in one if digest in told or digest[:16] in told or digest[:12] in told]


def test_the_same_tables_have_other_digests_in_another_study_and_period(tmp_path: Path) -> None:
    """Equal digests of two quarters would say that nobody left in between."""
    one, other = world(tmp_path / "one"), world(tmp_path / "other")
    later = replace(one, period=world(tmp_path / "one", "2000Q3").period)
    files = [said(job) for job in (one, other, later)]
    for place in (
        lambda m: m["inputs"]["table exits"]["hmac_sha256"],
        lambda m: m["known"]["exits"],
        lambda m: m["key"],
    ):
        assert len({place(manifest) for manifest in files}) == 3
    assert len(set(said(one)["known"].values())) == 3  # exits, participants, synthetic: none the same as another


def test_what_authors_wrote_keeps_plain_digests(tmp_path: Path) -> None:
    job = world(tmp_path)
    inputs = said(job)["inputs"]
    assert inputs["study"] == {"sha256": hashlib.sha256(job.study.path.read_bytes()).hexdigest()}
    assert {name: set(facts) for name, facts in inputs.items() if name.startswith("table ")} == {
        "table exits": {"hmac_sha256"},
        "table participants": {"hmac_sha256"},
    }


def test_a_manifest_of_before_is_held_to_the_tables_of_today(tmp_path: Path) -> None:
    job = world(tmp_path)
    now = said(job)
    inputs = {n: f for n, f in now["inputs"].items() if not n.startswith("table ")}
    inputs |= {f"table {n}": {"sha256": value} for n, value in table_digests(job.study).items()}
    old = {**now, "manifest": 2, "inputs": inputs, "known": known_digests(job.study, job.period.cut)}
    assert [str(change) for change in differences(old, now)] == ["table exits changed", "table participants changed"]
    assert differences(as_keyed(old, job), now) == []
    assert as_keyed(old, job)["known"] == now["known"]
    assert as_keyed(now, job) == now
    (tmp_path / "exits.csv").write_text("participant_id,exit_date,reason\nQX71,2000-03-15,moved\n", encoding="utf-8")
    later = said(job)
    (change,) = differences(as_keyed(old, job), later)
    assert str(change) == "table exits changed"
    plain = table_digests(job.study)["exits"], inputs["table exits"]["sha256"]
    assert not [p for p in plain if p[:12] in change.old + change.new]  # a reason that a manifest holds
    assert as_keyed(old, job)["known"] != later["known"]


def test_tables_that_are_open_are_read_again_only_where_they_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = world(tmp_path).known
    assert isinstance(asked, KnownDigests)
    elsewhere = pickle.loads(pickle.dumps(asked))  # noqa: S301 - our own
    assert (elsewhere.opened, elsewhere.cut) == (None, asked.cut)
    fresh, opened = elsewhere(), []

    def count(study: Study) -> StudyData:
        opened.append(study.id)
        return open_data(study)

    monkeypatch.setattr(_open, "open_data", count)
    assert (asked(), opened) == (fresh, [])
    (tmp_path / "exits.csv").write_text("participant_id,exit_date,reason\nQX71,2000-03-15,moved\n", encoding="utf-8")
    assert asked()["exits"] != fresh["exits"]
    assert len(opened) == 1
    assert asked()["participants"] == fresh["participants"]


def test_where_the_secret_is_not_what_was_recorded_stands_for_it(tmp_path: Path) -> None:
    job = world(tmp_path)
    then = said(job) | {"secret": job.secret.id}
    (tmp_path / "exits.csv").write_text("participant_id,exit_date,reason\nQX72,2000-03-15,moved\n", encoding="utf-8")
    blind = replace(job, secret=Recorded(then))
    now = said(blind)
    assert (now["key"], now["known"]) == (then["key"], then["known"])
    assert differences(then, now) == []


def test_a_secret_tells_nothing_of_itself() -> None:
    one = Secret.fresh()
    assert one.key.hex() not in repr(one)
    assert one.id not in one.key.hex()
    assert len({Secret.fresh().id for _ in range(20)}) == 20
