"""Which mutants are tried, against which tests, in which order."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.mutants import trees
from tools.mutants.cover import Map
from tools.mutants.mutators import Mutant, mutants
from tools.mutants.reviewed import Reviewed

CHEAP = 0.5  # seconds; a test above it, or one whose fixtures are, runs after all quick ones


@dataclass(frozen=True)
class Drawn:
    """A mutant, the text with its fault, and the tests that run its line, quickest first."""

    package: str
    mutant: Mutant
    text: str
    change: tuple[str, str]
    tests: tuple[str, ...]
    seconds: float
    left: int
    """How many tests run its line, but would take the mutant beyond its time."""


def draw(
    known: Map,
    reviewed: Reviewed,
    seed: int,
    count: int,
    only: tuple[str, ...],
    most: float,
    nearest: Callable[[str], set[str]] | None = None,
) -> list[Drawn]:
    """Draw mutants of each package: a line that tests run, then one fault of it; no line twice.

    Parameters
    ----------
    known : Map
    reviewed : Reviewed
        Equivalent mutants, which are not drawn.
    seed, count : int
        ``count`` mutants per package.
    only : tuple of str
        Packages; all where empty.
    most : float
        Seconds the tests of one mutant may take, as the map has them.
    nearest : callable, optional
        From a package to the files whose tests alone its faults are tried against.

    Returns
    -------
    list of Drawn
        The packages take turns, so that a budget of time is shared by all.
    """
    sources: dict[str, list[str]] = defaultdict(list)
    for name in trees.sources():
        sources[trees.package_of(name)].append(name)
    rows: list[list[Drawn]] = []
    for package in sorted(sources):
        if only and package not in only:
            continue
        chance = random.Random(f"{seed}:{package}")  # noqa: S311 - which faults are tried is no secret
        there = known.within(nearest(package)) if nearest else known
        found = _of_package(package, sources[package], there, reviewed, chance, most)
        rows.append([one for _, one in zip(range(count), found, strict=False)])
    turns = max((len(row) for row in rows), default=0)
    return [row[i] for i in range(turns) for row in rows if i < len(row)]


def _of_package(
    package: str, names: list[str], known: Map, reviewed: Reviewed, chance: random.Random, most: float
) -> Iterator[Drawn]:
    """Yield a package's mutants in the order of chance."""
    lines: dict[tuple[str, int], list[Mutant]] = defaultdict(list)
    texts = {name: (trees.ROOT / name).read_text(encoding="utf-8") for name in names}
    for name, text in texts.items():
        for mutant in mutants(text, name):
            lines[name, mutant.line].append(mutant)
    order = sorted(lines)
    chance.shuffle(order)
    for name, line in order:
        faults = sorted({m.what for m in lines[name, line]})
        chance.shuffle(faults)
        # By kind first: of a row of numbers not every draw shall be a number.
        choice = [chance.sample(of, len(of)) for f in faults if (of := [m for m in lines[name, line] if m.what == f])]
        for mutant in (m for group in choice for m in group):
            changed = mutant.applied(texts[name])
            if not _compiles(changed) or reviewed.holds(mutant, texts[name]):
                continue
            tests, rest = known_tests(known, mutant)
            if not tests:
                break
            chosen, seconds, left = ordered(known, tests, rest, most)
            yield Drawn(package, mutant, changed, mutant.change(texts[name]), chosen, seconds, left)
            break


def _compiles(text: str) -> bool:
    try:
        compile(text, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def known_tests(known: Map, mutant: Mutant) -> tuple[set[str], set[str]]:
    """Return the tests that run a mutant's statement, and those that may stand on what it made.

    What runs while a module is imported belongs to every test of the module. Tests keep what they made in caches, so that
    the other tests of the same files may stand on a line without running it.
    """
    if mutant.function.rpartition(".")[2][:1].isupper() or not mutant.function:
        direct = known.of_file(mutant.path)
    else:
        direct = known.tests(mutant.path, range(mutant.lines[0], mutant.lines[1] + 1))
    beside = {t.split("::")[0] for t in direct}
    return direct, {t for t in known.seconds if t.split("::")[0] in beside} - direct


def ordered(known: Map, tests: set[str], rest: set[str], most: float) -> tuple[tuple[str, ...], float, int]:
    """Order tests: quick ones first, file by file; then the dear ones, those with one fixture together.

    Returns
    -------
    tuple of str
        The tests that fit into ``most`` seconds; always the first.
    float
        What they take.
    int
        How many are left out.
    """

    def dear(test: str) -> tuple[float, str]:
        shared = known.shared[test]
        return sum(known.costs.get(key, 0) for key in shared), " ".join(shared)

    def group(test: str) -> tuple[int, str, str]:
        cost, name = dear(test)
        late = 2 if test in rest else 0
        return (
            (late + 1, test.split("::", maxsplit=1)[0], name)
            if max(cost, known.seconds[test]) > CHEAP
            else (late, test.split("::", maxsplit=1)[0], "")
        )

    groups: dict[tuple[int, str, str], list[str]] = defaultdict(list)
    for test in sorted(tests | rest):
        groups[group(test)].append(test)

    def cost(key: tuple[int, str, str]) -> float:
        return sum(known.seconds[t] for t in groups[key]) + max(dear(t)[0] for t in groups[key])

    chosen: list[str] = []
    spent, left = 0.0, 0
    for key in sorted(groups, key=lambda k: (k[0], cost(k), k)):
        paid = False
        for test in sorted(groups[key], key=lambda t: (known.seconds[t], t)):
            price = known.seconds[test] + (0 if paid else dear(test)[0])
            if chosen and spent + price > most:
                left += test in tests
                continue
            paid = True
            chosen.append(test)
            spent += price
    return tuple(chosen), spent, left


def where(path: str) -> str:
    """Return a source's name without the folder all have."""
    return Path(path).relative_to(trees.SOURCES).as_posix()
