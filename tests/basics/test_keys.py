"""Estimates are named by what was asked, by value: not by the words that tell it, nor by the names of classes."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from collections import Counter
from datetime import date

import numpy as np
import pandas as pd
import pytest

import evalkit
from evalkit.analyses import MeanOf, RatioOf, ShareOf
from evalkit.counts import DayCounts, Tally
from evalkit.estimates import Estimates
from evalkit.stats import KaplanMeier, kaplan_meier

# Described otherwise; that what is averaged are shares goes with the estimand, as does its unit.
WORDS = {"estimand", "population", "label", "notes", "view", "of_shares"}
COUNTS = Tally(pd.DataFrame({"group": ["a"], "term": ["t"], "n_event": [3], "n": [9]}))


def classes() -> dict[str, type]:
    """Every class of the library that makes estimates of counts, by its place."""
    found = {}
    for module in pkgutil.walk_packages(evalkit.__path__, "evalkit."):
        if not module.name.endswith("__main__"):
            own = vars(importlib.import_module(module.name)).values()
            found |= {
                f"{c.__module__}.{c.__name__}": c
                for c in own
                if inspect.isclass(c) and callable(getattr(c, "estimate", None))
            }
    return {name: c for name, c in found.items() if name != "evalkit.estimates.Analysis"}


def made(analysis: object = None, **about: object) -> Estimates:
    return Estimates(
        pd.DataFrame({"estimate": [0.5]}), **{"kind": "funnel", "estimand": "a share", **about}, analysis=analysis
    )


def an(kind: type) -> object:
    """An analysis of a class, with some parameters where it asks for any."""
    values = {"kind": "x", "estimand": "a share", "groups": ("a", "b"), "tau": 30.0, "reference": "b", "baseline": 0.5, "margin": 0.1, "times": (30.0,), "q": (0.5,)}  # fmt: skip
    asked = [
        f.name
        for f in dataclasses.fields(kind)
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    return kind(**{name: values[name] for name in asked})


def test_every_analysis_declares_a_key_and_no_two_the_same() -> None:
    found = classes()
    assert len(found) >= 28
    assert {name for name, c in found.items() if not vars(c).get("key")} == set()
    keys = Counter(c.key for c in found.values())
    assert [key for key, times in keys.items() if times > 1] == []


@pytest.mark.parametrize("name", sorted(classes()))
def test_another_wording_or_name_of_the_class_asks_nothing_else(name: str) -> None:
    analysis = an(classes()[name])
    before = made(analysis).id
    renamed = dataclasses.dataclass(frozen=True)(type("Renamed", (type(analysis),), {}))
    asked = {f.name: getattr(analysis, f.name) for f in dataclasses.fields(analysis)}
    assert made(renamed(**asked)).id == before
    words = {
        f.name: {"notes": ("said otherwise",), "of_shares": True}.get(f.name, "said otherwise")
        for f in dataclasses.fields(analysis)
        if f.name in WORDS
    }
    assert made(dataclasses.replace(analysis, **words)).id == before
    assert made(analysis, estimand="told anew", population="of others", notes=("x",), kind="renamed").id == before


@pytest.mark.parametrize("name", sorted(classes()))
def test_every_parameter_that_is_no_wording_asks_something_else(name: str) -> None:
    analysis = an(classes()[name])
    others = {bool: lambda v: not v, str: lambda v: v + "x", tuple: lambda v: (*v, "x"), int: lambda v: v + 1, float: lambda v: v + 0.25, type(None): lambda _: (7.0,)}  # fmt: skip
    ids = {made(analysis).id}
    for f in dataclasses.fields(analysis):
        if f.name not in WORDS:
            value = getattr(analysis, f.name)
            other = object.__new__(type(analysis))  # whatever a class checks of its parameters
            other.__dict__.update(
                {g.name: getattr(analysis, g.name) for g in dataclasses.fields(analysis)}
                | {f.name: others[type(value)](value)}
            )
            assert made(other).id not in ids, f.name
            ids.add(made(other).id)


def test_a_value_is_the_same_in_whatever_type_it_comes() -> None:
    same = [
        {"days": d, "among": a} for d in (182, 182.0, np.int64(182), np.float64(182)) for a in (("a", "b"), ["a", "b"])
    ]
    assert len({made(asked=asked).id for asked in same}) == 1
    assert made(asked={"a": 1, "b": 2}).id == made(asked={"b": 2, "a": 1}).id
    others = [
        {"days": 183},
        {"days": "182"},
        {"days": True},
        {"days": None},
        {"since": date(2023, 1, 1)},
        {"since": date(2023, 1, 2)},
        {},
    ]
    assert len({made(asked=asked).id for asked in others}) == len(others)


def test_names_are_for_ever() -> None:
    """Written down: releases name their estimates so."""
    assert (
        made(ShareOf("funnel", "share reaching each step", whole="referred"), asked={"episodes": "first"}).id
        == "6b896d03d135"
    )
    rows = pd.DataFrame({"days": [3, 5, 8], "left": [1, 0, 1]})
    assert kaplan_meier(rows, "days", "left").about(asked={"question": "staying"}).id == "599b33ae18da"


def test_the_noise_of_counts_without_people_is_not_drawn_anew() -> None:
    """As it was before there were keys: a second draw for the same count would tell more of it."""
    analysis = ShareOf("funnel", "share reaching each step", "all referred", whole="referred")
    about = {"kind": "funnel", "estimand": analysis.estimand, "population": analysis.population}
    assert made(analysis, **about, asked={"days": 3}).noise_name == made(analysis, **about).noise_name == "305f44c19c1b"


def test_what_was_asked_outlives_disclosure_control() -> None:
    from evalkit.disclosure import Policy, make_safe

    policy = Policy(secret=b"s" * 32)
    tally = Tally(pd.DataFrame({"group": ["a"], "term": ["t"], "label": ["T"], "n_event": [30], "n": [90]}))
    shares = ShareOf("funnel", "a share").estimate(tally).about(asked={"episodes": "all"})
    assert make_safe(shares, policy).estimates.id == shares.id
    n = 200
    days = DayCounts(pd.DataFrame({"group": "a", "time": [-np.inf, *range(1, n + 1)], "n_entry": [n, *[0] * n], "n_event_1": [0, *[1, 0] * (n // 2)], "n_censor": [0, *[0, 1] * (n // 2)]}))  # fmt: skip
    curve = KaplanMeier().estimate(days).about(asked={"question": "staying"})
    safe = make_safe(curve, policy)
    assert safe.verdict == "released"
    assert safe.estimates.id == curve.id != KaplanMeier().estimate(days).id


def test_an_analysis_of_a_notebook_needs_no_key() -> None:
    """A researcher's own class: its kind stands in, and its parameters where it is a dataclass."""
    own = dataclasses.make_dataclass("Own", [("days", int)], frozen=True)
    assert made(own(3)).id == made(own(3)).id != made(own(4)).id
    assert made(own(3), kind="other").id != made(own(3)).id
    assert made(object()).id == made(object()).id


@pytest.mark.parametrize("kind", [ShareOf, MeanOf, RatioOf])
def test_a_general_analysis_is_told_apart_by_its_kind(kind: type) -> None:
    assert made(kind("funnel", "x")).id != made(kind("trend", "x")).id
