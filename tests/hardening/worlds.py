"""Small studies with anything in them: what the fuzzer draws."""

from __future__ import annotations

import io
import string
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import yaml
from hypothesis import strategies as st

CANARY = "Qzcanary"
"""Stands in every value that is somebody's: it must never be seen again."""

STUDY: dict[str, Any] = {
    "id": "tiny",
    "title": "A study",
    "starts": "2000-01-01",
    "arms": {"column": "pathway", "focus": {"value": "a", "label": "A"}, "comparison": {"value": "b", "label": "B"}},
    "covariates": [{"name": "age", "label": "Age", "kind": "numeric", "minimum": 16, "maximum": 100}],
    "tables": {"participants": {"path": "participants.csv"}, "sessions": {"path": "sessions.csv"}},
    "rules": {"disengagement_gap_days": 30, "engaged": {"sessions": 4, "days": 60}},
    "harm": {"kinds": ["dv_arrest"], "label": "harm"},
    "baselines": None,
    "disclosure": "disclosure.yaml",
}
DISCLOSURE: dict[str, Any] = {"minimum_count": 11, "minimum_at_risk": 11, "landmarks": [30, 60]}
PARAMS: dict[str, Any] = {
    "report": "tiny",
    "notebook": "tiny.ipynb",
    "title": "A report",
    "period": "2000Q4",
    "timeout_minutes": 1,
    "publication": {"to": ["html"], "publisher": "embedded"},
    "parameters": {"horizon_days": 364},
}
PEOPLE = ["participant_id", "pathway", "referral_date", "referral_source", "intake_date", "site", "community_area",
          "outcome_follow_up_end", "age", "recorded_on", "retracted_on"]  # fmt: skip
SESSIONS = ["participant_id", "session_date", "kind", "status", "hours", "recorded_on", "retracted_on"]

# Texts that have gone wrong somewhere before: quotes, code, markup, directions, formulas, endless numbers.
NASTY = [
    "", " ", "\x00", "\r\n", "'", '"', '"""', "\\", "`", "${HOME}", "$(id)", "{{< include x >}}", "<script>1</script>",
    "#read(\"/etc/hostname\")", "\\input{/etc/hostname}", "=1+1", "@SUM(1)", "-1+1", "\u202egnp.exe", "\u200b", "\ufeff",
    "../../etc/passwd", "/etc/passwd", "~", "nul", "a\nb: c", "---", "...", "!!python/object/apply:os.system ['id']",
    "&a [*a]", "*a", "1e999", "9" * 5000, "-0", "NaN", "inf", "0x10", "0o7", "1_000", "12:30:45", "2022-13-45", "0000-00-00",
    "2022-02-30", "9999-12-31", "1899-12-31", "2022-01-01T25:00:00", "yes", "no", "on", "null", "~", "True", "é" * 300,
    "\U0001f600", "\ud7ff", "%s%n", "{0.__class__}", "__import__('os').system('id')", "'; DROP TABLE participants; --",
    "postgresql://ann:Qzcanary@host/db", "duckdb://x", "file:///etc/passwd", "a" * 70000,
]  # fmt: skip
DAYS = ["2000-01-03", "2000-02-29", "2000-12-31", "2001-01-01", "1999-12-31", "3/17/2000", "20000101", "36526"]

nasty = st.sampled_from(NASTY) | st.text(max_size=12) | st.text(string.printable, max_size=12)
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | nasty
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(nasty, inner, max_size=3), max_leaves=6
)


def places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in nested content."""
    found = [path] if path else []
    steps = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for step, inner in steps:
        found += places(inner, (*path, step))
    return found


def changed(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The content with one place changed."""
    if not path:
        return value
    copy = dict(content) if isinstance(content, dict) else list(content)
    copy[path[0]] = changed(copy[path[0]], path[1:], value)
    return copy


@st.composite
def mutated(draw: st.DrawFn, content: dict[str, Any]) -> dict[str, Any]:
    """A file's content with one to three places changed, or keys added."""
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.integers(0, 4)) == 0:
            content = {**content, draw(nasty): draw(anything)}
        else:
            content = changed(content, draw(st.sampled_from(places(content))), draw(anything))
            if not isinstance(content, dict) or not places(content):
                break
    return content


@st.composite
def yaml_text(draw: st.DrawFn, content: dict[str, Any]) -> str:
    """YAML of a mutated mapping, or a text damaged somewhere."""
    text = yaml.safe_dump(draw(mutated(content)), allow_unicode=True, sort_keys=False)
    if draw(st.integers(0, 3)):
        return text
    place = draw(st.integers(0, len(text)))
    return text[:place] + draw(nasty) + text[place + draw(st.integers(0, 9)) :]


def _cell(column: str) -> st.SearchStrategy[Any]:
    own = st.sampled_from([f"{CANARY}{column}", f"{CANARY} {column} 7", f"{CANARY}-2000-01-03"])
    usual: dict[str, list[Any]] = {
        "participant_id": [f"{CANARY}{n:04d}" for n in range(6)],
        "pathway": ["a", "b"],
        "status": ["attended", "absent"],
        "kind": ["group", "individual"],
    }
    days = st.sampled_from(DAYS)
    base = (
        st.sampled_from(usual[column])
        if column in usual
        else days
        if column.endswith(("_date", "_on", "_end"))
        else own
    )
    return st.one_of(base, base, base, base, own, nasty, plain)


@st.composite
def table(draw: st.DrawFn, columns: list[str]) -> pd.DataFrame:
    """A table with usual and unusual values; sometimes a column is missing, doubled or renamed."""
    names = list(columns)
    if draw(st.integers(0, 5)) == 0:
        names[draw(st.integers(0, len(names) - 1))] = draw(nasty | st.sampled_from(columns))
    rows = draw(st.lists(st.tuples(*[_cell(name) for name in columns]), max_size=6))
    return pd.DataFrame([list(row) for row in rows], columns=names, dtype=object)


def write_table(frame: pd.DataFrame, folder: Path, name: str, form: str) -> str:
    """Write a table in one of the formats; where a format cannot hold a value its text is written."""
    file = folder / f"{name}.{form}"
    file.unlink(missing_ok=True)
    texts = frame.map(lambda v: None if v is None else str(v))
    if form == "xlsx":
        book = openpyxl.Workbook()
        clean = openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE
        for row in [list(frame.columns), *texts.to_numpy().tolist()]:
            book.active.append(
                [
                    None if v is None else "'" + clean.sub("", v)[:300] if v[:1] == "=" else clean.sub("", v)[:300]
                    for v in row
                ]
            )
        book.save(file)
    elif form == "csv":
        text = io.StringIO()
        frame.to_csv(text, index=False, escapechar="\\")
        file.write_bytes(text.getvalue().encode("utf-8", errors="replace"))
    else:
        texts.columns = [
            f"{c}" if list(texts.columns).count(c) == 1 and c else f"c{i}" for i, c in enumerate(texts.columns)
        ]
        texts = texts.map(lambda v: None if v is None else v.encode("utf-8", "replace").decode())
        texts.columns = [c.encode("utf-8", "replace").decode() for c in texts.columns]
        if form == "parquet":
            texts.astype("string").to_parquet(file, index=False)
        else:
            try:
                with duckdb.connect(str(file)) as connection:
                    connection.register("incoming", texts.astype(object))
                    connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM incoming')  # noqa: S608 - a name of ours
            except duckdb.Error:
                file.write_bytes(b"not a database")
    return file.name
