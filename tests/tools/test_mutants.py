"""The tool that puts faults in: which faults, where not, in which order they are tried, and that nothing stays behind."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest

from tools.mutants import __main__ as tool
from tools.mutants import cover, draw, kept, near, page, trees, worker
from tools.mutants.mutators import mutants
from tools.mutants.reviewed import Reviewed, entry


def changes(text: str) -> set[tuple[str, str]]:
    text = textwrap.dedent(text)
    return {mutant.change(text) for mutant in mutants(text, "src/evalkit/x.py")}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("y = a < b", "y = a <= b"),
        ("y = a < b", "y = a > b"),
        ("y = a >= b", "y = a > b"),
        ("y = a == b", "y = a != b"),
        ("y = a not in b", "y = a in b"),
        ("y = a + b * c", "y = a - b * c"),
        ("y = a + b * c", "y = a + b / c"),
        ("y = a & ~b", "y = a | ~b"),
        ("y = a & ~b", "y = a & b"),
        ("y = -a", "y = a"),
        ("y = a and b", "y = a or b"),
        ("y = a and b", "y = a"),
        ("y = a and b", "y = b"),
        ("y = not a", "y = a"),
        ("y = [i for i in a if i > 3]", "y = [i for i in a if True]"),
        ("y = 3", "y = 4"),
        ("y = 3", "y = 2"),
        ("y = 0.05", "y = 0.1"),
        ("y = True", "y = False"),
        ("y = f(a, b)", "y = f(b, a)"),
        ("y = f(a, by=b)", "y = f(a)"),
        ("y = arms['focus']", 'y = arms["comparison"]'),
        ("y = {'a': 'one', 'b': 'two'}", "y = {'a': 'two', 'b': 'one'}"),
        ("y = 'higher' if a else 'lower'", "y = 'lower' if a else 'higher'"),
        ("y = max(a)", "y = min(a)"),
        ('y = f"{a} of {b}"', 'y = f"{b} of {a}"'),
        ("y -= 2", "y += 2"),
        ("frame['x'] = 2", "pass"),
        ("go(a)", "pass"),
        ("raise ValueError", "pass"),
    ],
)
def test_a_line_and_its_fault(line: str, fault: str) -> None:
    assert (line, fault) in changes(line)


def test_faults_of_statements() -> None:
    found = changes(
        """
        def f(a, limit=3):
            if a > limit:
                return a
            return limit
        """
    )
    assert {
        ("return a", "return None"),
        ("if a > limit:", "if not (a > limit):"),
        ("if a > limit:", "if False:"),
    } <= found
    assert ("def f(a, limit=3):", "def f(a, limit=4):") in found


@pytest.mark.parametrize(
    "text",
    [
        '"""Not 3 < 4."""',
        'def f():\n    """Return 3 + 4."""\n',
        "x: Literal['focus', 'comparison']",
        "def f(a: Literal['n'] | None, b: dict[str, int]) -> Literal['high']: ...",
        "log.info('3 of %s', 4)",
        "import a, b",
        "__all__ = ['n', 'n_event']",
        "if TYPE_CHECKING:\n    x = 3 < 4",
        "@cache(3)\ndef f(): ...",
        "data: frame = field(repr=False)",
        "x = y.copy()",
    ],
)
def test_what_nobody_sees_stays(text: str) -> None:
    assert changes(text) == set()


def test_letters_of_more_than_one_byte_move_nothing() -> None:
    assert ("y = 'ñandú', a < b", "y = 'ñandú', a <= b") in changes("y = 'ñandú', a < b")


def test_every_fault_of_a_module_of_ours_compiles_and_changes_it() -> None:
    path = "src/evalkit/wilson.py"
    text = (trees.ROOT / path).read_text(encoding="utf-8")
    found = mutants(text, path)
    assert len(found) > 40
    for mutant in found:
        changed = mutant.applied(text)
        assert changed != text
        compile(changed, path, "exec")
        gone, new = mutant.change(text)
        assert gone != new


def test_the_reviewed_list_is_read_holds_when_lines_move_and_has_no_stale_entry() -> None:
    reviewed = Reviewed.read()
    assert all(reason and len(reason) > 20 for reason in reviewed.reasons.values())
    assert reviewed.stale() == []


def test_an_entry_survives_that_its_line_moves_and_goes_when_it_changes(tmp_path: Path) -> None:
    text = "def f(a):\n    return a < 3\n"
    mutant = next(m for m in mutants(text, "src/evalkit/x.py") if m.new == "<=")
    file = tmp_path / "list.yaml"
    file.write_text(entry(mutant, mutant.change(text)).replace("reason: ''", "reason: because"), encoding="utf-8")
    moved, other = "# a comment\n\n" + text, text.replace("3", "4")
    held = {
        at: [m.new for m in mutants(given, "src/evalkit/x.py") if Reviewed.read(file).holds(m, given)]
        for at, given in (("here", text), ("moved", moved), ("changed", other))
    }
    assert held == {"here": ["<="], "moved": ["<="], "changed": []}


def known() -> cover.Map:
    """A map: two quick tests, one with a dear fixture, one of the same file that runs nothing itself."""
    tests = {"a.py::quick": 0.1, "b.py::slow": 3.0, "c.py::dear": 0.1, "c.py::beside": 0.1}
    shared = {name: ["fixture c.py::made"] if name == "c.py::dear" else [] for name in tests}
    lines = {row: {"a.py::quick", "b.py::slow", "c.py::dear"} for row in range(1, 200)}
    paths = [f for f in trees.files() if f.startswith("src/evalkit/analyses/")]
    return cover.Map(tests, shared, {"fixture c.py::made": 20.0}, set(), {path: dict(lines) for path in paths})


def test_the_same_seed_draws_the_same_mutants_and_no_line_twice() -> None:
    drawn = [draw.draw(known(), Reviewed(), seed, 15, ("analyses",), 30) for seed in (1, 1, 2)]
    first, again, other = ([(d.mutant.path, d.mutant.start, d.mutant.new) for d in of] for of in drawn)
    assert first == again != other
    assert len({(d.mutant.path, d.mutant.line) for d in drawn[0]}) == 15
    listed = Reviewed({(d.mutant.path, d.mutant.function, *d.change): "why" for d in drawn[0]})
    without = draw.draw(known(), listed, 1, 15, ("analyses",), 30)
    assert {d.change for d in without if (d.mutant.path, d.mutant.function, *d.change) in listed.reasons} == set()


def test_lines_that_no_test_runs_are_not_drawn() -> None:
    assert draw.draw(cover.Map(), Reviewed(), 1, 15, ("analyses",), 30) == []


def test_quick_tests_come_first_dear_ones_last_and_the_limit_holds() -> None:
    tests = {"a.py::quick", "b.py::slow", "c.py::dear"}
    assert draw.ordered(known(), tests, {"c.py::beside"}, 60)[0] == (
        "a.py::quick",
        "b.py::slow",
        "c.py::dear",
        "c.py::beside",
    )
    chosen, seconds, left = draw.ordered(known(), tests, set(), 10)
    assert (chosen, left) == (("a.py::quick", "b.py::slow"), 1)
    assert seconds == pytest.approx(3.1)


def test_faults_at_import_are_tried_against_every_test_of_the_module() -> None:
    text = "LIMIT = 3\n\n\ndef f(a):\n    return a < LIMIT\n"
    there = cover.Map(
        {"t::a": 1.0, "t::b": 1.0},
        {"t::a": [], "t::b": []},
        {},
        set(),
        {"src/evalkit/x.py": {5: {"t::a"}, 9: {"t::b"}}},
    )
    constant, inside = (next(m for m in mutants(text, "src/evalkit/x.py") if m.new == new) for new in ("4", "<="))
    assert draw.known_tests(there, constant)[0] == {"t::a", "t::b"}
    assert draw.known_tests(there, inside) == ({"t::a"}, {"t::b"})


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ("def test_it(): assert f(3) is False", tool.KILLED),
        ("def test_it(): assert f(2) is True", tool.ALIVE),
        ("def test_it():\n    while f(3): pass", tool.TIMED_OUT),
    ],
)
def test_a_fault_is_tried_in_a_copy_and_taken_out_again(tmp_path: Path, tests: str, expected: str) -> None:
    """In a child of this process, as workers do it."""
    source = "def f(a):\n    return a < 3\n"
    (tmp_path / "conftest.py").write_text(
        "import sys, pathlib\nsys.path.insert(0, str(pathlib.Path(__file__).parent))\n"
    )
    (tmp_path / "sound.py").write_text(source)
    (tmp_path / "test_sound.py").write_text(f"from sound import f\n{tests}\n")
    before, here = {p.name for p in tmp_path.iterdir()}, Path.cwd()
    worker._hook()
    try:
        os.chdir(tmp_path)
        seconds = 2 if expected == tool.TIMED_OUT else 30  # on a busy machine pytest alone may work for two
        text = source.replace("<", "<=")
        job = {"path": "sound.py", "text": text, "tests": ["test_sound.py::test_it"], "seconds": seconds}
        answer = worker.attempt(tmp_path, job)
    finally:
        os.chdir(here)
    code = answer["code"]
    assert {worker.WORKED: tool.TIMED_OUT, 0: tool.ALIVE, 1: tool.KILLED}[code] == expected
    assert (tmp_path / "sound.py").read_text() == source
    assert {p.name for p in tmp_path.iterdir()} - before <= {"__pycache__"}


def test_figures_count_what_timed_out_as_noticed_and_leave_out_what_was_not_reached() -> None:
    drawn = draw.draw(known(), Reviewed(), 1, 5, ("analyses",), 30)
    verdicts = [tool.KILLED, tool.ALIVE, tool.TIMED_OUT, tool.KILLED, tool.NOT_REACHED]
    assert tool.figures(drawn, verdicts)[1:] == [["analyses", "2", "1", "1", "1", "75 %"]]


def test_a_run_takes_the_place_of_what_was_kept_of_its_packages_only_and_the_page_has_both(tmp_path: Path) -> None:
    drawn = draw.draw(known(), Reviewed(), 1, 5, ("analyses",), 30)
    verdicts = [tool.KILLED, tool.ALIVE, tool.TIMED_OUT, tool.KILLED, tool.NOT_REACHED]
    file, rows, alive = tmp_path / "new" / "found.json", tool.figures(drawn, verdicts), tool.left(drawn, verdicts)
    none = [rows[0], ["cohort", "7", "0", "0", "0", "100 %"]]
    kept.keep("40 with seed 1", "abc", none, {"cohort": []}, lambda _: "`tests/cohort`", file)
    kept.keep("9 with seed 1", "abc", rows, {"analyses": ["old"]}, lambda _: "all", file)
    kept.keep("5 with seed 2", "def", rows, alive, lambda _: "all", file)
    found = kept.read(file)
    assert [(f.package, f.drawn, f.tests) for f in found] == [
        ("analyses", "5 with seed 2", "all"),
        ("cohort", "40 with seed 1", "`tests/cohort`"),
    ]
    told = page.text(found, 7)
    assert "| analyses | 5 with seed 2 | 2 | 1 | 1 | 1 | 75 % | `def` |" in told
    assert "| cohort | 40 with seed 1 | 7 | 0 | 0 | 0 | 100 % | `abc` |" in told
    assert drawn[1].change[0].splitlines()[0] in told
    assert "7 faults that change nothing" in told
    assert "Never measured: cells, cli, disclosure, evalkit, " in told
    assert "| cohort | `tests/cohort` |" in told


def test_a_wait_on_a_busy_machine_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    one = draw.draw(known(), Reviewed(), 1, 1, ("analyses",), 30)[0]
    there = object.__new__(tool.Worker)
    answers = {
        worker.WAITED: tool.NOT_REACHED,
        worker.WORKED: tool.TIMED_OUT,
        0: tool.ALIVE,
        5: tool.ALIVE,
        1: tool.KILLED,
    }
    for code, verdict in answers.items():
        monkeypatch.setattr(there, "ask", lambda _, code=code: code, raising=False)
        assert there.verdict(one) == verdict


def test_the_nearest_tests_exist_for_every_package_and_faults_are_tried_against_them_alone() -> None:
    files = trees.test_files()
    packages = {trees.package_of(name) for name in trees.sources()}
    assert set(near.NEAR) == packages
    for places in near.NEAR.values():
        assert [place for place in places if not any(name.startswith(place) for name in files)] == []
    assert [name for name in near.DEAR if name not in files] == []
    drawn = draw.draw(known(), Reviewed(), 1, 5, ("analyses",), 30, lambda _: {"c.py"})
    assert {test for one in drawn for test in one.tests} == {"c.py::dear", "c.py::beside"}


def test_an_entry_of_the_map_is_outdated_when_what_its_tests_ran_changes_and_not_when_another_source_does() -> None:
    every, source = trees.files(), "src/evalkit/wilson.py"
    entry = {"lines": {"t.py::test": {source: [1, 2]}}, "ran": trees.digest([source])}
    assert not cover._outdated(entry, every)
    assert cover._outdated(entry | {"ran": trees.digest(["src/evalkit/seal.py"])}, every)
    assert cover._outdated({"lines": {"t.py::test": {"src/evalkit/gone.py": [1]}}, "ran": ""}, every)
    reads = cover._ran({"lines": {"t": {"src/evalkit/protocol/_study.py": [1]}}}, every)
    assert "params/study.yaml" in reads
    assert not any(name.startswith("notebooks/") for name in reads)


def test_a_copys_python_imports_the_copy_alone_and_links_are_not_copied(tmp_path: Path) -> None:
    files = [f for f in trees.files() if f in {"src/evalkit/__init__.py", "src/evalkit/_version.py"}]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trees, "files", lambda: files)
        python = trees.make(tmp_path / "tree")
    import subprocess

    told = subprocess.run(
        [str(python), "-c", "import evalkit, numpy; print(evalkit.__file__)"],
        cwd="/",
        env={"PYTHONPATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == str(tmp_path / "tree" / "src" / "evalkit" / "__init__.py")
