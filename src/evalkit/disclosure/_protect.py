"""Complementary suppression: which further rows are withheld so that no small count can be worked out.

A release is looked at as a whole, together with everything published before. Sensitive are the small counts that are
not shown, and every small difference: of a published group and another within it, of a group and the sum of the parts
that are shown. Each must leave a reader at least the policy's number of possible values. Where one does not, the
cells that hold it there are known from the multipliers of the reader's own linear programme, and one of them must go:
the fewest and least important rows that do are chosen by an integer programme, and everything is looked at again
(Fischetti and Salazar-Gonzalez 2001, Management Science 47:1008-1027, whose cutting planes these are, for cells that
are rounded and for several tables at once).
"""

from __future__ import annotations

__all__ = ["Memory", "Plan", "protect", "without"]

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from evalkit.disclosure._cells import UNKNOWN, Cell
from evalkit.disclosure._policy import Policy
from evalkit.disclosure._search import Search
from evalkit.disclosure._worlds import Worlds, worlds_of

Bools = npt.NDArray[np.bool_]
Cut = tuple[frozenset[frozenset[str]], str, bool]
Known = dict[bytes, tuple[Cut | None, frozenset[str]]]
"""Of a set, by who is in it: its cut (None: wide enough), and what was withheld when that was found."""
_ROUNDS = 200
_WEIGHT = {"table": 1.0, "model": 4.0, "curve": 6.0}


@dataclass(frozen=True)
class Plan:
    """What is withheld beside what is small itself.

    Attributes
    ----------
    withheld : frozenset of str
        Keys of rows.
    names : tuple of str
        The same, in words.
    exposed : tuple of str
        Small counts of which only one value stays possible whatever is withheld now: earlier releases gave them away.
    tight : int
        How many small counts leave fewer values than the policy asks for, but more than one, whatever is withheld.
    cells, sensitive : int
        How many cells (with those published before) and how many small counts were looked at.
    """

    withheld: frozenset[str]
    names: tuple[str, ...]
    exposed: tuple[str, ...]
    tight: int
    cells: int
    sensitive: int


@dataclass(eq=False)
class Memory:
    """What was found of a release's cells, for when its notebook has run again with rows withheld.

    A set that was wide stays wide when cells go, and nothing is asked again as long as they only go.

    Attributes
    ----------
    known : dict
        By set.
    withheld : frozenset of str
        Rows that were withheld in the end.
    left : frozenset or None
        The cells that were left then, with all that was known of them; None before the first time.
    """

    known: Known = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()
    left: frozenset[tuple[object, ...]] | None = None

    def begin(self, cells: Sequence[Cell]) -> None:
        """Forget what was found of other cells than these.

        Parameters
        ----------
        cells : sequence of Cell
        """
        if self.left is None or not _signed(cells) <= self.left:
            self.known, self.withheld = {}, frozenset()

    def end(self, cells: Sequence[Cell], withheld: frozenset[str]) -> None:
        """Remember which cells are left.

        Parameters
        ----------
        cells : sequence of Cell
        withheld : frozenset of str
            Rows that were withheld beside those before.
        """
        self.left, self.withheld = _signed(cells), self.withheld | withheld


def _signed(cells: Sequence[Cell]) -> frozenset[tuple[object, ...]]:
    telling = [c for c in cells if c.low > 0 or c.high < UNKNOWN]
    return frozenset((c.row, c.column, c.low, c.high, c.people.tobytes()) for c in telling if c.people is not None)


@dataclass(frozen=True, eq=False)
class _Look:
    """One look at everything that would be published."""

    worlds: Worlds
    places: list[list[int]]
    sets: Bools
    origins: list[tuple[int, ...]]
    fresh: Bools


def protect(new: Sequence[Cell], earlier: Sequence[Cell], policy: Policy, memory: Memory | None = None) -> Plan:
    """Find the rows to withhold.

    Parameters
    ----------
    new : sequence of Cell
        Of the release that is being made; what is small itself is not shown already.
    earlier : sequence of Cell
        Of earlier releases: they cannot be taken back.
    policy : Policy
    memory : Memory, optional
        Of the same release with the same earlier ones: what was found the time before, and then what is found now.

    Returns
    -------
    Plan
    """
    if not policy.complementary:
        return Plan(frozenset(), (), (), 0, 0, 0)
    linked = [cell for cell in new if cell.people is not None]
    past = [cell for cell in earlier if cell.people is not None and policy.ledger]
    cuts: dict[frozenset[frozenset[str]], None] = {}
    withheld: frozenset[str] = frozenset()
    exposed: list[str] = []
    memory, tight = memory or Memory(), 0
    memory.begin(without(linked, withheld, policy))
    for _ in range(_ROUNDS):
        shown = [*past, *without(linked, withheld, policy)]
        look = _look(shown, len(past), policy)
        found = _cuts(look, shown, len(past), policy, memory.known, memory.withheld | withheld)
        fresh = [cut for cut, _, _ in found if cut and cut not in cuts]
        helpless = [(name, single) for cut, name, single in found if not cut or cut in cuts]
        exposed = [name for name, single in helpless if single]
        tight = len(helpless) - len(exposed)
        if not fresh:
            break
        cuts.update(dict.fromkeys(fresh))
        withheld = _cover(list(cuts), _losses(linked))
    memory.end(without(linked, withheld, policy), withheld)
    names = dict.fromkeys(cell.name for cell in linked if cell.row in withheld)
    return Plan(withheld, tuple(names), tuple(exposed), tight, len(look.places), len(look.sets))


def without(cells: Sequence[Cell], withheld: frozenset[str], policy: Policy) -> list[Cell]:
    """Return what a reader knows when some rows are withheld: small counts are known to be small, of others nothing.

    Parameters
    ----------
    cells : sequence of Cell
    withheld : frozenset of str
        Keys of rows.
    policy : Policy

    Returns
    -------
    list of Cell
    """
    kept = []
    for cell in cells:
        if cell.row not in withheld:
            kept.append(cell)
        elif policy.hides(cell.count):
            kept.append(dataclasses.replace(cell, shown=False, low=policy.least, high=policy.minimum_count - 1))
    return kept


def _look(shown: Sequence[Cell], n_past: int, policy: Policy) -> _Look:
    worlds, places = worlds_of(shown)
    member = worlds.member.astype(np.int64)
    common = (member * worlds.true) @ member.T
    size = np.diag(common)
    fresh = np.array(
        [_is_news([shown[i] for i in n if i >= n_past], [shown[i] for i in n if i < n_past]) for n in places]
    )
    fresh = fresh.astype(bool)
    if not fresh.any():  # nothing that is not published already
        return _Look(worlds, places, np.zeros((0, len(worlds.true)), dtype=bool), [], fresh[:0])
    sets: dict[bytes, tuple[int, ...]] = {}

    def add(chosen: Bools, origin: tuple[int, ...]) -> None:
        if policy.is_small(int(worlds.true[chosen].sum())):
            sets.setdefault(np.packbits(chosen).tobytes(), origin)

    outside = size[:, None] - common
    nested = (common == size[None, :]) & (outside > 0) & (outside < policy.minimum_count)
    new = fresh[:, None] | fresh[None, :]
    for cells, pairs in ((fresh, nested & new), (~fresh, nested & ~new)):  # what is said now names a set first
        for j in np.flatnonzero(cells & (worlds.high < policy.minimum_count)):
            add(worlds.member[j], (int(j),))
        for i, j in zip(*np.nonzero(pairs), strict=True):
            add(worlds.member[i] & ~worlds.member[j], (int(i), int(j)))
    for union, parts in _unions(shown, places, worlds, n_past):
        inside = (worlds.member & union).sum(axis=1) == union.sum()
        for i in np.flatnonzero(inside & (size - worlds.true[union].sum() < policy.minimum_count)):
            add(worlds.member[i] & ~union, (int(i), *parts))
    n_atoms = len(worlds.true)
    rows = [np.unpackbits(np.frombuffer(key, dtype=np.uint8), count=n_atoms).astype(bool) for key in sets]
    said_now = np.array([any(fresh[i] for i in origin) for origin in sets.values()], dtype=bool)
    return _Look(worlds, places, np.array(rows, dtype=bool).reshape(len(rows), n_atoms), list(sets.values()), said_now)


def _is_news(new: Sequence[Cell], past: Sequence[Cell]) -> bool:
    """Say whether new cells tell more of their people than cells that were published before."""
    low, high = max((c.low for c in past), default=0), min((c.high for c in past), default=UNKNOWN)
    return any(cell.low > low or cell.high < high for cell in new)


def _unions(
    shown: Sequence[Cell], places: list[list[int]], worlds: Worlds, n_past: int
) -> list[tuple[Bools, tuple[int, ...]]]:
    """Return the sums of the parts that are shown of each table, where the parts do not overlap."""
    families: dict[str, list[int]] = {}
    for j, numbers in enumerate(places):
        for family in {shown[i].family for i in numbers if i >= n_past and shown[i].shown}:
            families.setdefault(family, []).append(j)
    apart = [p for p in families.values() if len(p) > 1 and worlds.member[p].sum(axis=0).max() == 1]
    return [(np.asarray(worlds.member[parts].any(axis=0), dtype=bool), tuple(parts)) for parts in apart]


def _cuts(
    look: _Look, shown: Sequence[Cell], n_past: int, policy: Policy, known: Known, withheld: frozenset[str]
) -> list[Cut]:
    """Return for each set known too narrowly: cells of which one must go (each as its rows), name, if known exactly."""
    found: list[Cut] = []
    search = Search(look.worlds, look.sets, policy.ambiguity - 1)
    asked: dict[int, bytes] = {}
    for k in search.narrow():
        key = _people(look, k, shown)
        before, then = known.get(key, (None, None))
        if then is not None and (not before[0] if before else then <= withheld):
            found += [before] if before else []  # what only earlier releases hold stays so; what was wide is wider now
        else:
            asked[int(k)] = key
    narrow = _narrow(look, search, search.ask(list(asked)), shown, n_past)
    known.update({key: (narrow.get(k), withheld) for k, key in asked.items()})
    return [*found, *narrow.values()]


def _people(look: _Look, k: int, shown: Sequence[Cell]) -> bytes:
    """Name a set by its people: those of the first cell that defines it, less those of the others."""
    cells = [shown[look.places[j][0]].people for j in look.origins[k]]
    first, *others = (people for people in cells if people is not None)
    left = np.setdiff1d(first, np.concatenate([*others, np.empty(0, dtype=np.uint64)]))
    return hashlib.blake2b(left.tobytes(), digest_size=16).digest()


def _narrow(look: _Look, search: Search, left: Sequence[int], shown: Sequence[Cell], n_past: int) -> dict[int, Cut]:
    """Return the cuts of sets that are not wide.

    A set that could not be wide if nothing new were published (a linear programme proves it) need not become wider
    than it could be then: no row is withheld for what earlier releases gave away. Where nothing new speaks of it
    either, there is nothing to say.
    """
    if not left:
        return {}
    before = _before(look, shown, n_past)
    then = Search(before, look.sets[left], search.width)
    widths = np.full(len(left), search.width)
    for i in then.ask(then.narrow().tolist()):
        widths[i] = min(search.width, then.values(i) - 1)
    search.settle_for(left, widths)
    narrower = set(search.ask(left))
    cuts: dict[int, Cut] = {}
    for k, width in zip(left, widths, strict=True):
        name = " less ".join(shown[look.places[j][-1]].name for j in look.origins[k][:2])
        if k in narrower:
            rows = {_rows(look.places[j], shown, n_past) for j in np.flatnonzero(search.bounds(k)[2])}
            cuts[k] = frozenset(rows - {frozenset()}), name, search.values(k) <= 1
        elif look.fresh[k]:
            cuts[k] = frozenset(), name, bool(width < 1)
    return cuts


def _before(look: _Look, shown: Sequence[Cell], n_past: int) -> Worlds:
    """Return the worlds that agree with what would be known if every row of the release were withheld."""
    low, high = np.zeros_like(look.worlds.low), np.full_like(look.worlds.high, UNKNOWN)
    for j, numbers in enumerate(look.places):
        stay = [shown[i] for i in numbers if i < n_past or not shown[i].shown]
        low[j] = max((cell.low for cell in stay), default=0)
        high[j] = min((cell.high for cell in stay), default=UNKNOWN)
    return dataclasses.replace(look.worlds, low=low, high=high)


def _rows(numbers: list[int], shown: Sequence[Cell], n_past: int) -> frozenset[str]:
    """Return the rows that publish a cell; none where it was published before, or is known because it is small.

    A row that is not shown for another reason says nothing of the cell, and so does not stand in the way.
    """
    telling = [i for i in numbers if shown[i].low > 0 or shown[i].high < UNKNOWN]
    if any(i < n_past or not shown[i].shown for i in telling):
        return frozenset()
    return frozenset(shown[i].row for i in telling)


def _losses(cells: Sequence[Cell]) -> dict[str, float]:
    """Return what withholding each row costs: a curve more than a line of a table, what stands first more."""
    order = dict.fromkeys(cell.row for cell in cells)
    kinds = {cell.row: cell.kind for cell in cells}
    return {row: _WEIGHT[kinds[row]] * (1 + 0.01 * (1 - k / len(order))) for k, row in enumerate(order)}


def _cover(cuts: list[frozenset[frozenset[str]]], losses: dict[str, float]) -> frozenset[str]:
    """Choose the rows of least loss such that of each cut one cell is withheld in every row that publishes it."""
    rows = sorted({row for cut in cuts for cell in cut for row in cell})
    cells = sorted({cell for cut in cuts for cell in cut}, key=sorted)
    at_row = {row: i for i, row in enumerate(rows)}
    at_cell = {cell: len(rows) + i for i, cell in enumerate(cells)}
    size = len(rows) + len(cells)
    lines, low = [], []
    for cell in cells:
        for row in sorted(cell):
            line = np.zeros(size)
            line[at_row[row]], line[at_cell[cell]] = 1.0, -1.0
            lines.append(line)
            low.append(0.0)
    for cut in cuts:
        line = np.zeros(size)
        line[[at_cell[cell] for cell in cut]] = 1.0
        lines.append(line)
        low.append(1.0)
    cost = np.array([*(losses[row] for row in rows), *([0.0] * len(cells))])
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - half a second, seldom needed

    found = milp(
        cost,
        constraints=LinearConstraint(np.array(lines), np.array(low), np.inf),
        integrality=np.ones(size),
        bounds=Bounds(0, 1),
    )
    return frozenset(row for row, i in at_row.items() if found.x[i] > 0.5)
