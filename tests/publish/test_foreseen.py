"""What `--explain` says of each standing of a release, whole, from hand-made standings: nothing is looked up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evalkit.publish import _render
from evalkit.publish._job import Outcome, RenderJob
from evalkit.publish._render import explain, foreseen
from evalkit.publish.release._ingredients import Change
from evalkit.publish.release._standing import Standing

TARGET, WAITS = Path("out/s/quarterly/2022Q4"), Path("private/waiting/quarterly/2022Q4")
DATA, CODE = Change("data", "exits", "sha256:a", "sha256:b"), Change("code", "", "sha256:a", "sha256:b")
SITE = Change("parameter", "site", "'North'", "'South'")
THERE: dict[str, Any] = {"there": True, "manifest": {"revision": 3}}
JOB: dict[str, Any] = {"overrides": {}, "notebook": Path("n.ipynb"), "study": None, "target": TARGET}


class World:
    """What is published, what waits for approval, what the protocol asks for; and what was asked of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.standing, self.waits, self.approval, self.private = Standing(TARGET), WAITS, "none", True
        self.same, self.gone = False, dict[str, Any]()
        for name, answer in {
            "replace": lambda one, **said: replace(one, **said) if isinstance(one, Standing) else one, "find_secret": lambda _: None, "read_notebook": lambda _: "notebook",
            "parameters_of": lambda *_: {}, "went_in": lambda *_: {}, "standing_at": lambda *_: self.standing,
            "load_disclosure": lambda _: SimpleNamespace(approval=self.approval),
            "find_private_folder": lambda _: Path("private") if self.private else None,
            "waiting_at": lambda *_: self.waits, "came_out_the_same": lambda *_: self.same,
            "newest_gone": lambda *_: self.gone, "Ledger": SimpleNamespace(known=lambda *_: None),
        }.items():  # fmt: skip
            monkeypatch.setattr(_render, name, answer)

    def told(self, standing: Standing, overrides: tuple[str, ...] = ()) -> Outcome:
        self.standing = standing
        return foreseen(self.job(overrides))

    @staticmethod
    def job(overrides: tuple[str, ...] = ()) -> RenderJob:
        return SimpleNamespace(name="quarterly 2022Q4", **{**JOB, "overrides": dict.fromkeys(overrides)})  # type: ignore[return-value]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


SAME = "data, parameters, code, environment and tools are the same"
CASES: dict[str, tuple[Standing, tuple[str, ...], Outcome]] = {
    "nothing is there": (
        Standing(TARGET), (), Outcome("would_render", TARGET, "would be rendered: there is no release yet"),
    ),
    "the same is there": (Standing(TARGET, **THERE), (), Outcome("up_to_date", TARGET, f"up to date: {SAME}")),
    "a table changed": (
        Standing(TARGET, **THERE, changes=(DATA,)), (),
        Outcome("stopped", TARGET, "differs from revision 3; --supersede 'why' would publish revision 4: table exits changed"),
    ),
    "what was set is another thing": (
        Standing(TARGET, **THERE, changes=(SITE,)), ("site",),
        Outcome("stopped", TARGET, "differs from revision 3; --supersede 'why' would publish revision 4; --as NAME publishes it beside "
                                   "this one: parameter site changed from 'North' to 'South'"),
    ),
    "what stands in the report's file is another thing": (
        Standing(TARGET, **THERE, changes=(SITE,)), ("other",),
        Outcome("stopped", TARGET, "differs from revision 3; --supersede 'why' would publish revision 4: parameter site changed from "
                                   "'North' to 'South'"),
    ),
    "only the surroundings changed": (
        Standing(TARGET, **THERE, changes=(CODE,)), (),
        Outcome("would_render", TARGET, "would be made again and compared: evalkit’s code changed"),
    ),
    "surroundings, and a table": (
        Standing(TARGET, **THERE, changes=(CODE, DATA)), (),
        Outcome("stopped", TARGET, "differs from revision 3; --supersede 'why' would publish revision 4: evalkit’s code changed; table "
                                   "exits changed"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_a_render_would_do(name: str, world: World) -> None:
    standing, overrides, outcome = CASES[name]
    assert world.told(standing, overrides) == outcome
    assert explain(world.job(overrides)) == f"quarterly 2022Q4: {outcome.remark}"


def test_an_older_release_that_was_put_back_is_not_up_to_date(world: World) -> None:
    world.gone = {"revision": 4, "manifest_sha256": "a"}
    said = "holds revision 3, and revision 4 was published after it; put that one back, or --supersede 'why' publishes revision 5"
    assert world.told(Standing(TARGET, **THERE)) == Outcome("stopped", TARGET, said)


def test_what_came_out_the_same_once_is_up_to_date(world: World) -> None:
    world.same = True
    assert world.told(CASES["only the surroundings changed"][0]) == Outcome(
        "up_to_date", TARGET, "up to date: evalkit’s code changed"
    )
    assert world.told(CASES["a table changed"][0]).status == "stopped"  # that is asked of surroundings alone


@pytest.mark.parametrize(
    ("approval", "private", "waits"),
    [("required", True, True), ("required", False, False), ("none", True, False)],
)
def test_what_waits_for_approval_is_not_made_again(approval: str, private: bool, waits: bool, world: World) -> None:
    """Only where the protocol asks for one, and a private folder can hold it; what is published already waits no more."""
    world.approval, world.private = approval, private
    found = world.told(CASES["a table changed"][0])
    held = Outcome("waiting_for_approval", WAITS, f"waits for approval in {WAITS}")
    assert found == (held if waits else CASES["a table changed"][2])
    assert world.told(CASES["the same is there"][0]).status == "up_to_date"
    world.waits = None  # type: ignore[assignment]
    assert world.told(Standing(TARGET)).status == "would_render"
