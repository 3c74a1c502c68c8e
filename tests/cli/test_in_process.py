"""The commands in this process: what reaches the work behind them, every line they say, and the code they end with."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from evalkit import cli
from evalkit._version import __version__
from evalkit.cli import _draft, _releases, _render, _run
from evalkit.cli._groups import written_reason
from evalkit.cli._render import Request, plan
from evalkit.errors import DataError, DisclosureError, EvalkitError, UsageError, VerificationError
from evalkit.protocol import load_frozen, load_study, private_folder
from evalkit.publish import Outcome, RenderJob
from publish import standin
from publish.made import publish


@pytest.fixture(autouse=True)
def nothing_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("EVALKIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[RenderJob]:
    """The renders that were asked for; none is made."""
    asked: list[RenderJob] = []

    def instead(found: list[RenderJob], at_once: int, progress: object) -> list[object]:
        asked.extend(found)
        asked.append(at_once)  # type: ignore[arg-type]
        return [Outcome("published", job.target) for job in found]

    monkeypatch.setattr(_render, "render_all", instead)
    return asked


# -- render ----------------------------------------------------------------------------------------------------------
def test_what_a_render_is_asked_for(called: Any, jobs: list[RenderJob], tmp_path: Path) -> None:
    standin.write_world(tmp_path)
    code, out, err = called("render", "tiny", "--study", "study.yaml", "--out", "to")
    job, at_once = jobs
    assert (code, err, at_once) == (0, "", 1)
    folder = tmp_path / "to" / "tiny" / "tiny" / "2000Q4"
    assert out == f"{folder / 'report.pdf'}\n{folder / 'report.html'}\n"
    assert (job.period.name, job.supersede, job.force, job.new_ledger, job.overrides) == ("2000Q4", "", False, "", {})
    assert (job.params.publication.to, job.params.publication.publisher) == (["pdf", "html"], "auto")
    assert job.identifiers == {"QX71", "QX72"}
    assert job.passed.warnings == ()
    assert (job.notebook.name, job.params_file) == ("tiny.ipynb", str(tmp_path / "tiny.yaml"))


def test_every_option_of_a_render_reaches_it(called: Any, jobs: list[RenderJob], tmp_path: Path) -> None:
    standin.write_world(tmp_path)
    code, out, _ = called(
        "render", "tiny", "--study", "study.yaml", "--period", "2000Q3", "--period", "2000Q4", "--to", "html,", "--publisher",
        "embedded", "-P", "horizon_days=90", "-P", "more = a=b", "--jobs", "3", "--supersede", " It was \n late. ", "--force",
        "--new-ledger", "Lost.",
    )  # fmt: skip
    *made, at_once = jobs
    assert (code, at_once, [job.period.name for job in made]) == (0, 3, ["2000Q3", "2000Q4"])
    assert [line.rsplit("/", 2)[1] for line in out.splitlines()] == ["2000Q3", "2000Q4"]
    job = made[0]
    assert job.params.publication.to == ["html"]
    assert job.params.publication.publisher == "embedded"
    assert job.overrides == {"horizon_days": "90", "more": " a=b"}
    assert (job.supersede, job.force, job.new_ledger) == ("It was late.", True, "Lost.")


def test_what_is_typed_is_what_a_render_is_asked_for(called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Request] = []
    monkeypatch.setattr(_render, "run", asked.append)
    called("render", "tiny")
    called(
        "render", "tiny", "--period", "2000Q3", "--study", "a.yaml", "--study", "b.yaml", "--params", "p.yaml", "-P", "x=1",
        "--publisher", "quarto", "--to", "pdf", "--out", "to", "--jobs", "2", "--supersede", "It was late.", "--force",
        "--explain", "--new-ledger", "Lost.", "--json", "--verbose", "--as", "north", "--for-each", "site",
    )  # fmt: skip
    everything = Request(
        report="tiny", periods=("2000Q3",), studies=(Path("a.yaml"), Path("b.yaml")), params=Path("p.yaml"),
        parameters=("x=1",), publisher="quarto", to="pdf", out=Path("to"), jobs=2, supersede="It was late.", force=True,
        explain=True, new_ledger="Lost.", json=True, verbose=True, name="north", for_each="site",
    )  # fmt: skip
    assert asked == [Request("tiny", studies=(Path("params/study.yaml"),)), everything]


def test_what_is_typed_is_what_a_draft_is_asked_for(called: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Request, dict[str, Any]]] = []
    monkeypatch.setattr(_draft, "run", lambda request, **more: asked.append((request, more)))
    called("draft", "tiny")
    called(
        "draft", "tiny", "--period", "2000Q3", "--study", "a.yaml", "--params", "p.yaml", "-P", "x=1", "--pdf", "--watch",
        "--port", "65535", "--no-browser",
    )  # fmt: skip
    everything = Request(
        "tiny", periods=("2000Q3",), studies=(Path("a.yaml"),), params=Path("p.yaml"), parameters=("x=1",),
        publisher="embedded",
    )  # fmt: skip
    assert asked == [
        (
            Request("tiny", studies=(Path("params/study.yaml"),), publisher="embedded"),
            {"pdf": False, "watch": False, "port": 0, "browser": True},
        ),
        (everything, {"pdf": True, "watch": True, "port": 65535, "browser": False}),
    ]
    assert [called("draft", "tiny", "--port", port)[0] for port in ("-1", "65536")] == [2, 2]


def test_only_what_would_be_rendered_is_said(called: Any, jobs: list[RenderJob], tmp_path: Path) -> None:
    standin.write_world(tmp_path)
    code, out, _ = called("render", "tiny", "--study", "study.yaml", "--explain")
    assert (code, out, jobs) == (0, "tiny 2000Q4: would be rendered: there is no release yet\n", [])


@pytest.mark.parametrize("first", [True, False])
def test_a_render_that_failed_gives_its_line_and_its_code(
    first: bool, called: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    standin.write_world(tmp_path)
    failed = DisclosureError("cell 2:\n  puts out  something")
    made = Outcome("published", Path("r"))
    results: list[object] = [failed, made] if first else [made, failed]
    monkeypatch.setattr(_render, "render_all", lambda *_: [*results, UsageError("last")][:3])
    code, out, err = called(
        "render",
        "tiny",
        "--study",
        "study.yaml",
        "--to",
        "html",
        "--period",
        "2000Q2",
        "--period",
        "2000Q3",
        "--period",
        "2000Q4",
    )
    assert (code, out) == (6, "r/report.html\n")
    assert err == "evalkit: cell 2: puts out something\nevalkit: last\n"


def test_warnings_of_the_gate_are_said_before_the_work(
    called: Any, jobs: list[RenderJob], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    standin.write_world(tmp_path)
    true_plan = _render.plan

    def warned(request: Request, file: Path) -> list[RenderJob]:
        return [replace(job, passed=replace(job.passed, warnings=("warning: x",))) for job in true_plan(request, file)]

    monkeypatch.setattr(_render, "plan", warned)
    assert called("render", "tiny", "--study", "study.yaml")[2] == "evalkit: tiny 2000Q4: warning: x\n"


NAMED = "is no report's name; a report is named as in params/quarterly.yaml: quarterly"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["../tiny"], 2, f"'../tiny' {NAMED}"), (["a b"], 2, f"'a b' {NAMED}"), (["tiny.yaml"], 2, f"'tiny.yaml' {NAMED}"), ([""], 2, f"'' {NAMED}"),
        (["quartely"], 2, "there is no report 'quartely': no quartely.yaml beside study.yaml; name it with --params; did you mean 'quarterly'?"),
        (["no-such_1"], 2, "there is no report 'no-such_1': no no-such_1.yaml beside study.yaml; name it with --params"),
        (["tiny", "--supersede", "123"], 2, "--supersede: write why, in a few words; the reason is published"),
        (["tiny", "--new-ledger", " . "], 2, "--new-ledger: write why, in a few words; the reason is published"),
        (["tiny", "-P", "x"], 3, "-P x: write it as key=value"),
        (["other"], 3, "{0}/other.yaml: is of report 'tiny', not 'other'"),
        (["tiny", "--to", ""], 0, ""),
    ],
)  # fmt: skip
def test_what_a_render_refuses(
    arguments: list[str], code: int, said: str, called: Any, jobs: list[RenderJob], tmp_path: Path
) -> None:
    standin.write_world(tmp_path)
    (tmp_path / "other.yaml").write_text((tmp_path / "tiny.yaml").read_text())
    found, _, err = called("render", *arguments, "--study", "study.yaml")
    assert (found, err) == (code, f"evalkit: {said.format(tmp_path)}\n" if said else "")
    assert bool(jobs) is (not said)


def test_a_named_file_of_parameters_may_be_of_any_report(tmp_path: Path) -> None:
    study = standin.write_world(tmp_path)
    (tmp_path / "other.yaml").write_text((tmp_path / "tiny.yaml").read_text())
    (job,) = plan(Request("whatever", params=tmp_path / "other.yaml"), study)
    assert job.params.report == "tiny"
    (tmp_path / "other.yaml").write_text((tmp_path / "tiny.yaml").read_text() + "publication: [pdf]\n")
    with pytest.raises(EvalkitError, match=r"other.yaml: key 'publication': .* \(line \d+\)"):
        plan(Request("whatever", params=tmp_path / "other.yaml"), study)


def test_parameters_are_looked_for_beside_the_study_first(tmp_path: Path) -> None:
    study = standin.write_world(tmp_path / "study")
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "tiny.yaml").write_text((tmp_path / "study" / "tiny.yaml").read_text())
    (tmp_path / "params" / "here.yaml").write_text("x")
    found = [_render._params_file(Request(name), load_study(study)) for name in ("tiny", "here", "quarterly")]
    assert found[:2] == [tmp_path / "study" / "tiny.yaml", tmp_path / "params" / "here.yaml"]
    assert found[2].parts[-2:] == ("params", "quarterly.yaml")


@pytest.mark.parametrize("place", ["tiny", "tiny/tiny", "tiny/tiny/2000Q4"])
def test_a_release_is_not_written_through_a_link(place: str, tmp_path: Path) -> None:
    study = standin.write_world(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "reports" / place
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EvalkitError) as refused:
        plan(Request("tiny", out=tmp_path / "reports"), study)
    assert (
        str(refused.value)
        == f"{link}: is a link; a release is only written to a real folder below {tmp_path / 'reports'}"
    )
    (tmp_path / "linked").symlink_to(tmp_path / "elsewhere")  # the reports folder itself may be one
    assert plan(Request("tiny", out=tmp_path / "linked"), study)[0].out == tmp_path / "elsewhere"


def test_logs_go_to_the_user_or_where_there_is_none_to_the_study(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    study = load_study(standin.write_world(tmp_path / "study"))
    monkeypatch.setattr(_render.platformdirs, "user_log_dir", lambda _: str(tmp_path / "home" / "log"))
    assert _render.log_folder(study) == tmp_path / "home" / "log"
    monkeypatch.setenv("EVALKIT_HOMELESS", "1")
    assert _render.log_folder(study) == tmp_path / "study" / ".evalkit" / "tiny" / "logs"
    monkeypatch.delenv("EVALKIT_HOMELESS")
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    assert _render.log_folder(study) == tmp_path / "study" / ".evalkit" / "tiny" / "logs"


# -- verify and keys -------------------------------------------------------------------------------------------------
MANIFEST = {
    "study": "tiny", "report": "tiny", "period": "2000Q3", "publication": {"publisher": "embedded", "to": ["html"]},
    "parameters": {"horizon_days": 7, "study": "study.yaml", "other": 8}, "overridden": ["horizon_days"],
}  # fmt: skip


def test_the_same_is_asked_for_again(tmp_path: Path) -> None:
    study = standin.write_world(tmp_path)
    job = _releases._job(MANIFEST, tmp_path, study)
    assert (job.period.name, job.params.publication.to, job.params.publication.publisher) == (
        "2000Q3",
        ["html"],
        "embedded",
    )
    assert job.params.parameters == {"horizon_days": 7}
    assert _releases._job({**MANIFEST, "overridden": []}, tmp_path, study).params.parameters == {"horizon_days": 364}
    with pytest.raises(UsageError) as refused:
        _releases._job({**MANIFEST, "study": "other"}, tmp_path, study)
    assert str(refused.value) == f"{tmp_path}: is of study 'other', not 'tiny'; name its protocol with --study"


EXCUSE = {
    "table": "participants",
    "rule": "missing_value",
    "by": "Board",
    "until": "2000-12-31",
    "reason": "It was mended since.",
}


@pytest.mark.parametrize("excused", [[{**EXCUSE, "until": "soon"}], [{"table": "x"}], [3], {"a": 1}])
def test_excuses_that_evalkit_never_wrote(excused: Any) -> None:
    with pytest.raises(EvalkitError) as refused:
        _releases._excused_then({"excused": excused}, Path("r"))
    assert str(refused.value) == "r: its manifest says of what was excused what evalkit never wrote; it was changed"


def test_excuses_of_then() -> None:
    assert _releases._excused_then({}, Path("r")) == _releases._excused_then({"excused": None}, Path("r")) == []
    (one,) = _releases._excused_then({"excused": [EXCUSE]}, Path("r"))
    assert (one.rule, one.by) == ("missing_value", "Board")


def test_a_quick_look_does_without_another_studys_protocol(tmp_path: Path) -> None:
    study = standin.write_world(tmp_path)
    assert _releases._study_of({"study": "tiny"}, study).id == "tiny"  # type: ignore[union-attr]
    assert _releases._study_of({"study": "other"}, study) is None
    assert _releases._study_of({"study": "tiny"}, tmp_path / "nowhere.yaml") is None


@pytest.mark.parametrize("good", [True, False])
def test_what_a_verification_found_is_said(
    good: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = SimpleNamespace(lines=lambda: ["one", "two"], good=good, why="report.html is another")
    monkeypatch.setattr(_releases, "read_manifest", lambda _: MANIFEST)
    held_to: list[tuple[object, ...]] = []
    monkeypatch.setattr(_releases, "checked", lambda *asked: held_to.append(asked) or found)
    if good:
        assert _releases.run_verify(Path("r"), Path("s"), Path("k"), quick=True) == 0
        assert held_to == [(Path("r"), Path("k"), None)]
    else:
        with pytest.raises(VerificationError) as refused:
            _releases.run_verify(Path("r"), Path("s"), None, quick=True)
        assert str(refused.value) == "r: is not what was published: report.html is another"
    assert capsys.readouterr().out == "one\ntwo\n"


def test_the_key_of_a_study(called: Any, tmp_path: Path) -> None:
    standin.write_world(tmp_path)
    private = tmp_path / ".evalkit" / "tiny" / "signing-key.pem"
    code, out, _ = called("key", "new", "--study", "study.yaml")
    first, second, third = out.splitlines()
    assert code == 0 and len(first.removeprefix("key ")) == 16
    assert second == f"  private: {private} (keep it; EVALKIT_SIGNING_KEY may name it)"
    assert third == f"  public:  {private.with_suffix('.pub')} (give it to those who check releases)"
    code, _, err = called("key", "new", "--study", "study.yaml")
    assert (code, err) == (10, f"evalkit: {private}: is there already; a key is never overwritten\n")
    assert called("key", "new", "--study", "study.yaml", "--out", "k.pem")[0] == 0
    assert Path("k.pem").is_file() and Path("k.pub").is_file()


# -- validate and the rest -------------------------------------------------------------------------------------------
def test_validate_says_what_it_found_keeps_codes_and_ends_with_4(called: Any, tmp_path: Path) -> None:
    standin.write_world(tmp_path)
    late = "participants.recorded_on: the column is not there: rows count as known from their own date, late entry cannot be seen [absent_column]"
    unsaid = [
        "the protocol was never frozen; evalkit protocol freeze --as v1 'why' keeps it before results are seen",
        "programme says nothing of name, why, materials, procedures, provider, how, where, dose, tailoring, modifications, "
        "fidelity_planned, fidelity_found; the final report leaves that out",
        "re_aim says nothing of reach, effectiveness, adoption, implementation, maintenance; the final report leaves that out",
    ]
    said = "\n".join(["0 error(s), 1 warning(s)", f"  warning: {late}", *unsaid, ""])
    assert called("validate", "study.yaml") == (0, said, "")
    table = tmp_path / "participants.csv"
    table.write_text(table.read_text().replace("QX72,b", "QX72,Court"), encoding="utf-8")
    line = "participants.pathway: is none of the values that the protocol names: a, b [not_allowed]: 1 row (row 3)"
    code, out, err = called("validate", "study.yaml", "--out", "found.json")
    kept = tmp_path / ".evalkit" / "tiny" / "codes.json"
    assert code == 4
    assert err == f"evalkit: error: {line}\n"
    assert out.splitlines() == [
        "1 error(s), 2 warning(s)", f"  error: {line}",
        "  warning: participants.pathway: no row has one of the two arms the protocol names [expected_value_absent]",
        f"  warning: {late}",
        *unsaid,
        "written to found.json",
        f"the values that the protocol does not name are in {kept}; evalkit validate --codes shows them with what they may stand for",
    ]  # fmt: skip
    assert json.loads(kept.read_text()) == {"participants": {"pathway": {"Court": 1}}}
    assert (kept.parent / ".gitignore").read_text() == "*\n"
    assert json.loads(Path("found.json").read_text())["n_errors"] == 1
    shown = called("validate", "study.yaml", "--codes")[1]
    assert '# "Court": ?  # 1 row, like none of them' in shown and "--codes" not in shown
    table.write_text(standin.PARTICIPANTS, encoding="utf-8")
    called("validate", "study.yaml")
    assert not kept.exists()  # those of an earlier day
    found = kept.with_name("findings.json")
    found.unlink()
    called("validate", "study.yaml")
    assert json.loads(found.read_text())["n_warnings"] == 1  # also where no codes are to be taken away


def test_validate_names_changes_without_a_reason(called: Any, tmp_path: Path) -> None:
    file = standin.write_world(tmp_path)
    called("protocol", "freeze", "Before any result", "--as", "v1", "--study", "study.yaml")
    assert "never frozen" not in called("validate", "study.yaml")[1]
    file.write_text(f"{file.read_text(encoding='utf-8')}rules: {{landmark_day: 300}}\n", encoding="utf-8")
    line = "rules.landmark_day (270, now 300): nobody wrote down when and why; say it under deviations"
    assert line in called("validate", "study.yaml")[1].splitlines()


# -- protocol --------------------------------------------------------------------------------------------------------
def test_a_protocol_is_frozen_listed_and_compared(called: Any, tmp_path: Path) -> None:
    file = standin.write_world(tmp_path)
    here = ("--study", "study.yaml")
    assert called("protocol", "list", *here)[1] == (
        "the protocol was never frozen; evalkit protocol freeze --as v1 'why' keeps it\n"
    )
    code, _, err = called("protocol", "diff", *here)
    assert (code, err) == (
        3,
        f"evalkit: {file}: the protocol was never frozen; evalkit protocol freeze --as v1 'why' keeps it\n",
    )
    code, out, err = called("protocol", "freeze", "Before any result", "--as", "v1", *here)
    assert (code, err) == (0, "")
    first, plan, commit = out.splitlines()
    assert first.startswith("froze the protocol as v1 on 20")
    assert plan.startswith("  no planned results: reports holds no release;")
    assert commit == f"  commit {tmp_path / 'protocol' / 'v1.yaml'}"
    assert called("protocol", "diff", *here)[1] == "nothing differs between v1 and the protocol as it is now\n"

    file.write_text(f"{file.read_text(encoding='utf-8')}rules: {{landmark_day: 300}}\n", encoding="utf-8")
    assert called("protocol", "diff", "v1", *here)[1] == (
        "rules.landmark_day: 270 in v1, 300 now  (nobody wrote down why)\n"
    )
    assert called("protocol", "list", *here)[1].splitlines()[-1] == "changed since v1: 1"
    out = called("protocol", "freeze", "People stay longer", "--as", "v2", *here)[1]
    assert out.splitlines()[1] == "  rules.landmark_day: 270 before, 300 now"
    day = out.split()[6]
    assert called("protocol", "diff", "v1", "v2", *here)[1] == (
        f"rules.landmark_day: 270 in v1, 300 in v2  ({day}: People stay longer)\n"
    )
    names = [line.split()[0] for line in called("protocol", "list", *here)[1].splitlines()]
    assert names == ["v1", "v2", "changed"]

    # A later change of the same key has a reason of its own, and tells nothing of the one before.
    file.write_text(
        file.read_text(encoding="utf-8").replace("landmark_day: 300", "landmark_day: 310"), encoding="utf-8"
    )
    assert (
        called("protocol", "diff", "v2", *here)[1]
        == "rules.landmark_day: 300 in v2, 310 now  (nobody wrote down why)\n"
    )
    called("protocol", "freeze", "Longer still", "--as", "v3", *here)
    for first, second, then, now, why in (
        ("v1", "v2", 270, 300, "People stay longer"), ("v2", "v3", 300, 310, "Longer still"),
        ("v1", "v3", 270, 310, "Longer still"), ("v2", "v1", 300, 270, "People stay longer"),
    ):  # fmt: skip
        assert called("protocol", "diff", first, second, *here)[1] == (
            f"rules.landmark_day: {then} in {first}, {now} in {second}  ({day}: {why})\n"
        )


def test_what_cannot_be_frozen_is_refused_in_a_line(called: Any, tmp_path: Path) -> None:
    standin.write_world(tmp_path)
    here = ("--study", "study.yaml")
    assert called("protocol", "freeze", "...", "--as", "v1", *here)[::2] == (
        2, "evalkit: why: write why, in a few words; the reason is published\n",
    )  # fmt: skip
    assert called("protocol", "freeze", "", "--as", "v1", *here)[0] == 2
    called("protocol", "freeze", "Before any result", "--as", "v1", *here)
    code, _, err = called("protocol", "freeze", "Again", "--as", "v1", *here)
    assert code == 3 and "v1: was frozen on" in err and "is never written over" in err
    code, _, err = called("protocol", "freeze", "Again", "--as", "v2", *here)
    assert code == 3 and "nothing has changed since v1 was frozen on" in err
    assert called("protocol", "diff", "v3", *here)[::2] == (
        3, "evalkit: there is no frozen protocol 'v3'; there are: v1\n",
    )  # fmt: skip
    kept = tmp_path / "protocol" / "v1.yaml"
    kept.write_text(kept.read_text(encoding="utf-8").replace("seed: 2021", "seed: 2022"), encoding="utf-8")
    for command in (("list",), ("diff",), ("freeze", "Again", "--as", "v2")):
        code, _, err = called("protocol", *command, *here)
        assert (code, err) == (
            3, f"evalkit: {kept}: was edited after it was frozen; bring it back as it was, and freeze the change under "
               "another name\n",
        )  # fmt: skip


def test_what_releases_show_is_what_was_planned(called: Any, tmp_path: Path) -> None:
    standin.write_world(tmp_path)
    study = load_study(tmp_path / "study.yaml")
    shown = [
        {"output": "fig-a", "estimate": "aaa"},
        {"output": "cell-3", "estimate": "bbb"},
        {"output": "tbl-b", "estimate": "aaa"},
    ]
    publish(study, published=shown, estimates=[["aaa", "funnel"], ["bbb", "mean"]])
    publish(study, "2000Q3", published=[{"output": "fig-a", "estimate": "ccc"}], estimates=[["ccc", "funnel"]])
    out = called("protocol", "freeze", "Before any result", "--as", "v1", "--study", "study.yaml")[1]
    assert out.splitlines()[1] == "  3 planned results"
    (frozen,) = load_frozen(study)
    assert [(p.name, p.kind, p.shown) for p in frozen.analyses] == [
        ("aaa", "funnel", ["tiny fig-a", "tiny tbl-b"]), ("bbb", "mean", []), ("ccc", "funnel", ["tiny fig-a"]),
    ]  # fmt: skip


def test_validate_of_a_period(called: Any, tmp_path: Path) -> None:
    standin.write_world(tmp_path)
    assert called("validate", "study.yaml", "--period", "2000Q4")[0] == 0
    code, _, err = called("validate", "study.yaml", "--period", "2010Q4")
    assert code == 4 and "[stale_table]" in err
    code, _, err = called("validate", "study.yaml", "--period", "2000Q7")
    assert code == 2 and "2000Q7" in err


def test_codes_that_cannot_be_kept_are_said(called: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from evalkit.cli import _validate

    standin.write_world(tmp_path)
    table = tmp_path / "participants.csv"
    table.write_text(table.read_text().replace("QX72,b", "QX72,Court"), encoding="utf-8")
    monkeypatch.setattr(_validate, "write_private", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    said = "the values that the protocol does not name could not be kept (no private folder can be written)"
    assert f"{said}; evalkit validate --codes" in called("validate", "study.yaml")[1]


def test_small_commands(called: Any, tmp_path: Path) -> None:
    standin.write_world(tmp_path)
    assert called("--version") == (0, f"evalkit {__version__}\n", "")
    code, out, _ = called(
        "simulate", "--out", "demo", "--seed", "7", "--n-focus", "12", "--n-comparison", "13", "--scenario", "null"
    )
    assert (code, out) == (0, "wrote a synthetic study (null, seed 7) to demo\n")
    rows = Path("demo/participants.csv").read_text().splitlines()
    pathways = [row.split(",")[rows[0].split(",").index("pathway")] for row in rows[1:]]
    assert (pathways.count("non_mandated") >= 12, pathways.count("paip") >= 13) == (True, True)
    assert called("example", "rosi", "--out", "x")[::2] == (
        2,
        "evalkit: there is no example 'rosi'; did you mean 'rossi'?; there are: rossi\n",
    )
    code, out, _ = called("schema", "--out", "s")
    assert out.splitlines() == [f"wrote s/{n}.schema.json" for n in ("study", "baselines", "disclosure", "report")]
    code, out, _ = called("dictionary", "--study", "study.yaml", "--out", "d.md")
    assert (code, out) == (0, "wrote d.md\n")
    assert called("dictionary", "--study", "study.yaml")[1] == Path("d.md").read_text() + "\n"


def test_every_option_says_what_it_is() -> None:
    from evalkit.cli._app import app

    def silent(command: Any) -> list[str]:
        below = getattr(command, "commands", {}).values()
        own = [f"{command.name} {one.name}" for one in command.params if not getattr(one, "help", None)]
        return [*own, *(one for inner in below for one in silent(inner))]

    assert silent(typer.main.get_command(app)) == []


@pytest.mark.parametrize(("text", "said"), [("", ""), (" a \n b ", "a b"), ("é", "é"), ("v2", "v2")])
def test_a_reason_is_words_on_one_line(text: str, said: str) -> None:
    assert written_reason(text, "--why") == said


# -- ends ------------------------------------------------------------------------------------------------------------
def rules_broken() -> DataError:
    error = DataError("both")
    error.lines = ("one", "two\n more")
    return error


class LostError(OSError):
    pass


ENDS: dict[str, tuple[BaseException | int | None, int, str]] = {
    "well": (None, 0, ""), "a code": (11, 11, ""), "one line of data": (DataError("a\n b"), 4, "evalkit: a b\n"),
    "a line each": (rules_broken(), 4, "evalkit: one\nevalkit: two more\n"), "ours": (UsageError("a  b"), 2, "evalkit: a b\n"),
    "interrupted": (KeyboardInterrupt(), 130, "evalkit: interrupted; nothing was published\n"),
    "aborted": (typer.Abort(), 130, "evalkit: interrupted; nothing was published\n"),
    "a code of the parser": (130, 130, "evalkit: interrupted; nothing was published\n"),
    "nobody reads": (BrokenPipeError(), 141, ""), "the parser's end": (SystemExit(3), 3, ""), "its good end": (SystemExit(), 0, ""),
    "a file": (LostError(13, "Permission Denied", "x/y"), 10, "evalkit: x/y: cannot be used (permission denied)\n"),
    "a stream": (LostError(28, "No space"), 10, "evalkit: a file or stream: cannot be used (no space)\n"),
    "an error without words": (LostError("QX71"), 1, "evalkit: unexpected LostError, a defect of evalkit; EVALKIT_DEBUG=1 shows where\n"),
    "a defect": (KeyError("QX71"), 1, "evalkit: unexpected KeyError, a defect of evalkit; EVALKIT_DEBUG=1 shows where\n"),
}  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
def test_every_end_has_its_code_and_its_line(
    end: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from evalkit.cli import _app

    happens, code, said = ENDS[end]

    def instead(**_: object) -> object:
        if isinstance(happens, BaseException):
            raise happens
        return happens

    monkeypatch.setattr(_app, "app", instead)
    assert _run() == code
    assert capsys.readouterr().err == said


def test_a_parser_that_nobody_hears_ends_as_a_pipe_does(monkeypatch: pytest.MonkeyPatch) -> None:
    class PacifyFlushWrapper:
        """What the parser puts in place of a stream that nobody reads."""

        def flush(self) -> None: ...

    from evalkit.cli import _app

    def instead(**_: object) -> object:
        monkeypatch.setattr("sys.stdout", PacifyFlushWrapper())
        raise SystemExit(1)

    monkeypatch.setattr(_app, "app", instead)
    assert _run() == 141


def test_a_defect_shows_where_it_is_when_it_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVALKIT_DEBUG", "1")
    for error in (ValueError("x"), LostError(13, "Denied", "x")):
        try:
            raise error  # noqa: TRY301
        except Exception as raised:
            cli._other(raised)
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if not line.startswith((" ", "Traceback"))] == [
        "ValueError: x", "evalkit: unexpected ValueError, a defect of evalkit; EVALKIT_DEBUG=1 shows where",
        "evalkit: x: cannot be used (denied)",
    ]  # fmt: skip


@pytest.mark.parametrize("arguments", [[], ["key"], ["protocol"], ["ledger"]])
def test_help_where_nothing_is_asked(arguments: list[str], called: Any) -> None:
    code, out, err = called(*arguments)
    assert code in {0, 2} and "Usage: evalkit" in out + err and "evalkit: " not in err


def test_a_misuse_is_one_line(called: Any) -> None:
    code, _, err = called("render")
    assert (code, err.lower()) == (2, "evalkit: missing argument 'report'. (see 'evalkit --help')\n")
    assert called("render", "x", "--jobs", "0")[0] == 2


# -- for schedulers ----------------------------------------------------------------------------------------------------
def test_a_render_as_json_is_one_document_and_a_line_of_the_log(
    called: Any, jobs: list[RenderJob], tmp_path: Path
) -> None:
    study = standin.write_world(tmp_path)
    code, out, err = called("render", "tiny", "--study", "study.yaml", "--out", "to", "--json")
    said = json.loads(out)
    assert (code, err, said["exit_code"]) == (0, "", 0)
    (one,) = said["outcomes"]
    assert (one["status"], one["period"], one["newest_days"]) == ("published", "2000Q4", {"participants": "2000-12-31"})
    log = private_folder(load_study(study)) / "runs.jsonl"
    (line,) = [json.loads(text) for text in log.read_text(encoding="utf-8").splitlines()]
    assert {name: line[name] for name in one} == one
    code, out, _ = called("render", "tiny", "--study", "study.yaml", "--out", "to", "--json", "--explain")
    (one,) = json.loads(out)["outcomes"]
    assert (code, one["status"], one["message"]) == (0, "would_render", "would be rendered: there is no release yet")
    assert len(log.read_text(encoding="utf-8").splitlines()) == 1  # nothing ran


def test_what_stops_a_render_before_it_begins_is_json_and_logged(called: Any, tmp_path: Path) -> None:
    study = standin.write_world(tmp_path)
    code, out, err = called("render", "tiny", "--study", "study.yaml", "--period", "2003Q4", "--json")
    (one,) = json.loads(out)["outcomes"]
    assert (code, err, one["exit_code"], one["exit_class"]) == (4, "", 4, "DataError")
    assert (one["status"], one["period"], one["what_to_do"]) == ("stopped", None, "evalkit validate")
    assert "freshness_days" in one["message"]
    assert len((private_folder(load_study(study)) / "runs.jsonl").read_text(encoding="utf-8").splitlines()) == 1
    code, out, _ = called("render", "tiny", "--study", "nowhere.yaml", "--json")
    (one,) = json.loads(out)["outcomes"]
    assert (code, one["study"], one["exit_class"]) == (3, None, "ProtocolError")


def test_a_log_that_cannot_be_written_changes_no_outcome(
    called: Any, jobs: list[RenderJob], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.write_world(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_render, "logged", full)
    code, _, err = called("render", "tiny", "--study", "study.yaml", "--out", "to")
    assert (code, err) == (0, "evalkit: this run is not in the log of runs (No space left on device)\n")


def test_status_says_how_each_period_stands(called: Any, tmp_path: Path) -> None:
    standin.write_world(tmp_path)
    code, out, _ = called("status", "--study", "study.yaml", "--out", "to")
    assert (code, out) == (14, "tiny tiny 2001Q1: would render: would be rendered: there is no release yet\n")
    publish(load_study(tmp_path / "study.yaml"), out="to")  # of other inputs
    code, out, _ = called("status", "--study", "study.yaml", "--out", "to", "--json")
    said = json.loads(out)
    assert (code, said["exit_code"]) == (10, 10)
    assert [(one["period"], one["status"], one.get("exit_class")) for one in said["outcomes"]] == [
        ("2000Q4", "stopped", "ReleaseError"), ("2001Q1", "would_render", None),
    ]  # fmt: skip
    (tmp_path / "participants.csv").write_text("participant_id\nQX71\n", encoding="utf-8")
    code, out, _ = called("status", "tiny", "--study", "study.yaml", "--out", "to")
    assert code == 4
    assert out.startswith("tiny tiny -: stopped: ")
    (tmp_path / "tiny.yaml").unlink()
    code, _, err = called("status", "--study", "study.yaml")
    assert (code, err.strip()) == (
        2,
        "evalkit: there is no report's file beside study.yaml; name the reports: evalkit status quarterly",
    )
