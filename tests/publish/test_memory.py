"""A draft's memory: after any edits what is shown is what a fresh run would show, and no more runs than has to."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.cells._memory import Memory
from evalkit.cells._names import names_of


class Bench:
    """A kernel without a kernel: runs cells as a draft's session does; what a cell shows is what it appends to SHOWN."""

    def __init__(self) -> None:
        self.begun = 0
        self._fresh()

    def _fresh(self) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.memory, self.shown = Memory(self.names), {}
        self.begun += 1

    def run(self, cells: list[str]) -> tuple[list[list[Any]], list[int]]:
        """Return what each cell shows, and which ran."""
        ran: list[int] = []
        keys: list[str] = []
        says = self.memory.begin(json.dumps(cells))
        while "restart" not in says:
            keys += says["reused"]
            if says["run"] is None:
                return [self.shown[key] for key in keys], ran
            place = says["run"]
            ran.append(place)
            try:
                shown = executed(cells[place], self.names)
            except Exception:
                self.memory.failed()
                raise
            keys.append(says["key"])
            self.shown[says["key"]] = shown
            says = self.memory.done()
        self._fresh()
        return self.run(cells)


def executed(cell: str, names: dict[str, Any]) -> list[str]:
    """Run a cell, and return what it shows."""
    out: list[Any] = []
    # As IPython has it: one namespace for globals and locals. What is shown is no name of the notebook's.
    names["__builtins__"] = {**__builtins__, "show": out.append}
    exec(compile(cell, "cell", "exec"), names)  # noqa: S102
    return [json.dumps(one) for one in out]


def fresh(cells: list[str]) -> list[list[str]]:
    """Return what each cell shows where nothing is remembered."""
    names: dict[str, Any] = {"__name__": "__main__"}
    return [executed(cell, names) for cell in cells]


# Cells that set, read, change in place, alias, condition, delete, define, close over and draw by lot.
PIECES = [
    "a = 1", "a = 2", "b = a + 1", "b = 10", "show(a)", "show(b)", "show([a, b])", "c = [a, b]", "c.append(a)", "show(c)", "d = c",
    "d.append(99)", "def f():\n    return a + b", "show(f())", "g = [f]", "show(g[0]())", "if a > 1:\n    b = 50", "a += 1",
    "e = {'k': a}", "e['k'] = 7", "show(e)", "x = [i * a for i in range(3)]\nshow(x)", "import random", "import random\nrandom.seed(a)",
    "import random\nshow(random.random())", "c = list(c) + [a]", "from math import sqrt as a", "class K:\n    v = [a]",
    "K.v.append(1)", "show(K.v)", "exec('a = 5')", "globals()['b'] = 6", "for a in range(4):\n    pass", "y = c\ny.append(3)\nshow(y)",
    "import pandas as pd\nr = pd.DataFrame({'n': [1, 2]})", "r['m'] = r['n'] * 2", "show(r.to_dict('list'))", "r = r.assign(m=a)",
    "import os\nos.environ['EVALKIT_TEST_MEMORY'] = str(b)", "import os\nshow(os.environ.get('EVALKIT_TEST_MEMORY'))",
]  # fmt: skip
BASE = [
    "import random\nrandom.seed(1)",
    "import os\nos.environ.pop('EVALKIT_TEST_MEMORY', None)",
    "a, b, c = 1, 2, [3]",
]
BASE += [
    "def f():\n    return 0",
    "g, e = [f], {}",
    "class K:\n    v = []",
    "import pandas as pd\nr = pd.DataFrame({'n': [5]})",
    "d = []",
]


@given(
    st.lists(st.sampled_from(PIECES), min_size=2, max_size=8),
    st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from(["put", "take", "swap", "in"]), st.sampled_from(PIECES)),
        max_size=6,
    ),
)
@settings(max_examples=40, deadline=None)
def test_after_any_edits_it_shows_what_a_fresh_run_shows(cells: list[str], edits: list[tuple[int, str, str]]) -> None:
    bench = Bench()
    runnable = _runs([*BASE, *cells])
    if runnable:
        assert bench.run([*BASE, *cells])[0] == fresh([*BASE, *cells])
    for where, what, piece in edits:
        at = where % max(len(cells), 1)
        if what == "put" and cells:
            cells = [*cells[:at], piece, *cells[at + 1 :]]
        elif what == "take":
            cells = [*cells[:at], *cells[at + 1 :]]
        elif what == "swap" and len(cells) > at + 1:
            cells = [*cells[:at], cells[at + 1], cells[at], *cells[at + 2 :]]
        else:
            cells = [*cells[:at], piece, *cells[at:]]
        expected = _runs([*BASE, *cells])
        if expected:
            assert bench.run([*BASE, *cells])[0] == fresh([*BASE, *cells])
        else:
            with pytest.raises(Exception):  # noqa: B017 - whatever the cells raise
                bench.run([*BASE, *cells])


def _runs(cells: list[str]) -> bool:
    try:
        fresh(cells)
    except Exception:
        return False
    return True


CELLS = ["a = 1", "b = a + 1", "show(a)", "show(b)", "z = 3", "show(z)"]


@pytest.mark.parametrize(
    ("edited", "ran"),
    [
        (CELLS, []),
        (["a = 2", *CELLS[1:]], [0, 1, 2, 3]),
        ([CELLS[0], "b = a + 2", *CELLS[2:]], [1, 3]),
        ([*CELLS[:5], "show(z)  # again"], [5]),
        (CELLS[:5], []),
        (["q = 0", *CELLS], [0]),
        ([*CELLS[2:4][::-1]], None),
    ],
)
def test_only_what_an_edit_touches_runs_again(edited: list[str], ran: list[int] | None) -> None:
    bench = Bench()
    bench.run(CELLS)
    if ran is None:  # names that nobody sets any more are not there
        with pytest.raises(NameError):
            bench.run(edited)
        return
    assert bench.run(edited)[1] == ran
    assert bench.begun == 1


def test_an_edit_that_is_taken_back_runs_what_it_touched_and_nothing_else() -> None:
    bench = Bench()
    bench.run(CELLS)
    bench.run(["a = 2", *CELLS[1:]])
    shown, ran = bench.run(CELLS)
    assert ran == [0, 1, 2, 3]
    assert shown == [[], [], ["1"], ["2"], [], ["3"]]


def test_what_is_changed_in_place_is_run_in_a_fresh_kernel() -> None:
    cells = ["c = [1]", "c.append(2)", "show(c)", "z = 1", "show(z)"]
    bench = Bench()
    assert bench.run(cells)[0][2] == ["[1, 2]"]
    assert bench.run([*cells[:4], "show(z + 1)"]) == ([[], [], ["[1, 2]"], [], ["2"]], [4])
    assert bench.begun == 1  # it comes after what cannot be put back
    assert bench.run(["c = [5]", *cells[1:]]) == ([[], [], ["[5, 2]"], [], ["1"]], [0, 1, 2, 3, 4])
    assert bench.begun == 2


def test_a_cell_that_fails_leaves_the_rest_as_it_was() -> None:
    bench = Bench()
    bench.run(CELLS)
    with pytest.raises(ZeroDivisionError):
        bench.run([*CELLS[:5], "show(1 / 0)"])
    assert bench.run(CELLS) == ([[], [], ["1"], ["2"], [], ["3"]], [])


def test_what_was_changed_before_a_cell_failed_is_changed_in_a_fresh_kernel() -> None:
    bench = Bench()
    with pytest.raises(ZeroDivisionError):
        bench.run(["c = [1]", "c.append(2)", "show(1 / 0)"])
    assert bench.run(["c = [1]", "show(c)"]) == ([[], ["[1]"]], [0, 1])
    assert bench.begun == 2


def test_what_ran_before_a_cell_failed_is_known() -> None:
    bench = Bench()
    with pytest.raises(ZeroDivisionError):
        bench.run(["a = 1", "show(a)", "show(1 / 0)"])
    assert bench.run(["a = 1", "show(a)", "show(a + 1)"]) == ([[], ["1"], ["2"]], [2])


def test_a_change_whose_cell_is_taken_out_is_undone_in_a_fresh_kernel() -> None:
    bench = Bench()
    bench.run(["c = [1]", "c.append(2)"])
    assert bench.run(["c = [1]", "show(c)"]) == ([[], ["[1]"]], [0, 1])


def test_cells_that_change_places_before_a_draw_are_run_in_a_fresh_kernel() -> None:
    cells = ["a = 1", "b = 2", "import random", "x = random.random()"]
    bench = Bench()
    bench.run(cells)
    assert bench.run(["b = 2", "a = 1", *cells[2:]])[1] == [0, 1, 2, 3]
    assert bench.begun == 2


def test_a_kernel_that_cannot_go_on_says_so_until_it_ends() -> None:
    bench = Bench()
    bench.run(["c = [1]", "show(c)"])
    edited = json.dumps(["c = [1]", "c.append(2)", "show(c)"])
    assert bench.memory.begin(edited)["run"] == 1
    bench.names["c"].append(2)
    assert bench.memory.done() == {"restart": 1}
    assert bench.memory.begin(edited) == {"restart": 1}


def test_a_cell_that_only_reads_an_array_changes_nothing() -> None:
    cells = ["import numpy as np\nn = np.array([1, 2])", "z = 1", "show(n.tolist())", "show(z)"]
    bench = Bench()
    bench.run(cells)
    assert bench.run([cells[0], "z = 2", *cells[2:]]) == ([[], [], ["[1, 2]"], ["2"]], [1, 3])
    assert bench.begun == 1


@pytest.mark.parametrize(("deep", "kernels"), [(6, 1), (7, 2)])
def test_lists_in_lists_are_looked_into_so_deep(deep: int, kernels: int) -> None:
    cells = [f"c = {'[' * deep}1{']' * deep}", "z = 1", "show(c)", "show(z)"]
    bench = Bench()
    bench.run(cells)
    edited = [cells[0], "z = 2", *cells[2:]]
    assert bench.run(edited) == (fresh(edited), [1, 3] if kernels == 1 else [0, 1, 2, 3])
    assert bench.begun == kernels


@pytest.mark.parametrize(
    ("held", "change"),
    [
        ("np.array([1, 2])", "x[0] = 5"),
        ("np.array([[1], [2, 3]], dtype=object)", "x[0][0] = 5"),  # in the lists that an array holds
        ("pd.DataFrame({'a': [1]})", "x.loc[0, 'a'] = 5"),
        ("pd.DataFrame({'a': [1]})", "x.index.name = 'of'"),
        ("pd.DataFrame({'a': [1]})", "x.columns.name = 'of'"),
        ("pd.Series([1])", "x.index.name = 'of'"),
        ("pd.Index([1])", "x.name = 'of'"),
    ],
)
def test_what_a_function_changes_in_place_is_seen(held: str, change: str) -> None:
    made = f"import numpy as np\nimport pandas as pd\nn = {held}"
    cells = [made, f"def f(x):\n    {change}", "z = 1", "f(n)", "show(str(n))"]
    bench = Bench()
    bench.run(cells)
    edited = [*cells[:2], "show(str(n))", *cells[3:]]
    assert bench.run(edited)[0] == fresh(edited)
    assert bench.begun == 2


def test_a_list_that_holds_itself_may_change_whenever_it_is_read() -> None:
    cells = ["c = []\nc.append(c)", "show(len(c))", "show(1)"]
    bench = Bench()
    assert bench.run(cells)[0] == [[], ["1"], ["1"]]
    assert bench.run([*cells[:2], "show(2)"]) == ([[], ["1"], ["2"]], [2])
    assert bench.run(["c = []\nc.append(c)\nc.append(0)", *cells[1:]])[0] == [[], ["2"], ["1"]]
    assert bench.begun == 2


def test_a_file_that_a_cell_reads_is_looked_at_again(tmp_path) -> None:
    file = tmp_path / "more.csv"
    file.write_text("n\n1\n")
    cells = [f"import pandas as pd\nrows = pd.read_csv({str(file)!r})", "show(rows['n'].tolist())", "show(1)"]
    bench = Bench()
    assert bench.run(cells)[0][1] == ["[1]"]
    assert bench.run(cells)[1] == []
    file.write_text("n\n1\n2\n")
    assert bench.run(cells) == ([[], ["[1, 2]"], ["1"]], [0, 1])


def test_a_folder_whose_name_begins_like_the_environments_is_another(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "env"))
    (tmp_path / "environment").mkdir()
    file = tmp_path / "environment/more.csv"
    file.write_text("n\n1\n")
    cells = [f"import pandas as pd\nrows = pd.read_csv({str(file)!r})", "show(rows['n'].tolist())"]
    bench = Bench()
    bench.run(cells)
    file.write_text("n\n1\n2\n")
    assert bench.run(cells) == ([[], ["[1, 2]"]], [0, 1])


@pytest.mark.parametrize(
    ("source", "reads", "sets", "changes"),
    [
        ("x = [i for i in y]", {"y"}, {"x"}, False),
        ("def f(u):\n    return u + v", {"v"}, {"f"}, False),
        ("class A:\n    b = c\n    def m(self):\n        return d", {"c", "d"}, {"A"}, False),
        ("import numpy.linalg as la, os.path", set(), {"la", "os"}, False),
        ("with p as q:\n    pass", {"p"}, {"q"}, False),
        ("del a", set(), {"a"}, False),
        ("def f():\n    global g\n    g = 1", {"g"}, {"f", "g"}, True),
        ("x += 1", set(), {"x"}, True),
        ("from m import *", set(), set(), True),
        ("rows['late'] = 1", {"rows"}, set(), True),
        ("rows = old.copy()\nrows['late'] = 1", {"rows", "old"}, {"rows"}, False),
        ("rows = old\nrows['late'] = 1", {"rows", "old"}, {"rows"}, True),
        ("rows.sort_values('n', inplace=True)", {"rows"}, set(), True),
        ("rows['late'] += 1", {"rows"}, set(), True),
        ("rows = old.copy()\nrows['late'] += 1", {"rows", "old"}, {"rows"}, False),
        ("rows.append(1)", {"rows"}, set(), True),
        ("rows = []\nrows.append(1)", {"rows"}, {"rows"}, False),
        ("setattr(a, 'b', 1)", {"setattr", "a"}, set(), True),
        ("%matplotlib inline", {"get_ipython"}, set(), True),
        ("eval('a')", {"eval"}, set(), True),
        ("open('a')", {"open"}, set(), True),
        ("n = next(rows)", {"next", "rows"}, {"n"}, True),
        ("delattr(a, 'b')", {"delattr", "a"}, set(), True),
        ("rows = old.copy()\nrows.sort_values('n', inplace=True)", {"rows", "old"}, {"rows"}, False),
    ],
)
def test_names_of_a_cell(source: str, reads: set[str], sets: set[str], changes: bool) -> None:
    found = names_of(source)
    assert (found.reads, found.sets, found.changes) == (reads, sets, changes)
