"""Golden frames: what an analysis answers, whole. Every column, verdict, note and fact, and the counts underneath.

PYTHONPATH=tests .venv/bin/python -m golden.frames          # says what is another; --write takes it over
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from evalkit.estimates import Estimates
from evalkit.stats import Propensity
from golden.cases import CASES

HERE = Path(__file__).parent / "whole"
NAMES = Path(__file__).parent / "names.json"
RTOL = 1e-6  # of numbers that come from iterations, on other machines


def plain(found: object) -> object:
    """Return a result as what JSON can hold."""
    if isinstance(found, Estimates):
        names = ("kind", "estimand", "population", "cut", "conf_level", "notes", "summary")
        parts = {name: plain(getattr(found, name)) for name in names}
        return parts | {"data": plain(found.tidy()), "counts": plain(found.counts)}
    if isinstance(found, Propensity):
        return {
            "scores": plain(found.scores), "weights": plain(found.weights), "preference": plain(found.preference),
            "balance": plain(found.balance()), "effective_sample_size": plain(found.effective_sample_size()),
            "overlap": plain(found.overlap()),
        }  # fmt: skip
    if isinstance(found, pd.DataFrame):
        # Who stands behind a number are hashes; how many they are is enough.
        return {n: [len(who) for who in found[n]] if n.startswith("who_") else plain(found[n]) for n in found}
    if is_dataclass(found):
        # Who stands behind a count are hashes; how many they are is enough.
        kept = {f.name: getattr(found, f.name) for f in fields(found) if f.name not in {"people", "paths", "errors"}}
        return {"type": type(found).__name__} | plain(kept) | {"people": _sizes(getattr(found, "people", None))}
    if isinstance(found, Mapping):
        return {str(name): plain(value) for name, value in found.items()}
    if isinstance(found, pd.Series | np.ndarray | tuple | list):
        return [plain(value) for value in (found.tolist() if isinstance(found, np.ndarray) else found)]
    return _cell(found)


def _sizes(people: object) -> object:
    if isinstance(people, tuple):
        return [{name: len(codes) for name, codes in row.items()} for row in people]
    return None if people is None else plain(people.drop(columns="code"))


def _cell(value: object) -> object:
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else str(value)
    return value.date().isoformat() if isinstance(value, pd.Timestamp) else str(value)


def names(found: object) -> list[str]:
    """Return what results are known by: the id under which releases follow them, what their noise is drawn by, their view."""
    if isinstance(found, Estimates):
        return [f"{found.id} {found.noise_name} {getattr(found.analysis, 'view', '-') or '-'}"]
    return [one for part in found for one in names(part)] if isinstance(found, tuple | list) else []


def file_of(name: str) -> Path:
    """Where a case's answer is kept."""
    return HERE / (name.replace(": ", "--").replace(", ", "-").replace(" ", "_") + ".json")


def text_of(answer: object) -> str:
    """One line per column, so that a change can be read."""
    return _text(answer, "") + "\n"


def _text(value: object, indent: str) -> str:
    if isinstance(value, dict) and value:
        inner = [f"{indent} {json.dumps(k)}: {_text(v, indent + ' ')}" for k, v in value.items()]
        return "{\n" + ",\n".join(inner) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(v, dict) for v in value) and len(value) < 4:
        return "[\n" + ",\n".join(f"{indent} {_text(v, indent + ' ')}" for v in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)


def differences(found: object, kept: object, where: str = "") -> list[str]:
    """Return where two answers differ; numbers may by 1e-6 of themselves."""
    if isinstance(found, dict) and isinstance(kept, dict):
        if list(found) != list(kept):
            return [f"{where}: {list(found)} for {list(kept)}"]
        return [d for name in kept for d in differences(found[name], kept[name], f"{where}/{name}")]
    if isinstance(found, list) and isinstance(kept, list):
        if len(found) != len(kept):
            return [f"{where}: {len(found)} values for {len(kept)}"]
        return [d for i, (a, b) in enumerate(zip(found, kept, strict=True)) for d in differences(a, b, f"{where}[{i}]")]
    number = isinstance(found, int | float) and isinstance(kept, int | float) and not isinstance(found, bool)
    if number and bool(np.isclose(found, kept, rtol=RTOL, atol=1e-9)):
        return []
    return [] if found == kept and type(found) is type(kept) else [f"{where}: {found!r} for {kept!r}"]


def main() -> None:
    """Compare every case with what is kept; with --write keep what is another."""
    HERE.mkdir(exist_ok=True)
    before = json.loads(NAMES.read_text(encoding="utf-8")) if NAMES.exists() else {}
    known: dict[str, list[str]] = {}
    for name, ask in CASES.items():
        result = ask()
        answer, file = plain(result), file_of(name)
        if called := names(result):
            known[name] = called
        if known.get(name) != before.get(name):
            print(name, before.get(name), "is now", called)
        kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
        for line in differences(answer, kept) if kept is not None else ["new"]:
            print(name, line)
        if "--write" in sys.argv and (kept is None or differences(answer, kept)):
            file.write_text(text_of(answer), encoding="utf-8")
    if "--write" in sys.argv:
        NAMES.write_text(json.dumps(known, indent=0) + "\n", encoding="utf-8")
    for file in sorted({*HERE.glob("*.json")} - {file_of(name) for name in CASES}):
        print("no such case any more:", file.name)


if __name__ == "__main__":
    main()
