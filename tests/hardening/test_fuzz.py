"""Anything in parameters, protocol, policy or tables: an answer or one clear line, and never anybody's value."""

from __future__ import annotations

import os
import re
import string
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import pytest
import typer
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.cli._app import app
from evalkit.cli._render import Request, plan
from evalkit.disclosure import Policy
from evalkit.errors import EvalkitError
from evalkit.protocol import load_disclosure, load_study
from evalkit.publish._job import parameters_of, read_notebook
from evalkit.publish.audit import guard_for
from evalkit.publish.audit._document import audit_markdown
from evalkit.publish.rendering._execute import redact
from hardening import worlds
from publish import standin

EXAMPLES = int(os.environ.get("EVALKIT_FUZZ", "0"))
"""How many examples each takes, from seeds of their own, in the long version (`make slow`); else a handful."""
pytestmark = pytest.mark.timeout(600 + 2 * EXAMPLES)


def bounded(few: int) -> Callable[[Any], Any]:
    return settings(
        max_examples=EXAMPLES or few, deadline=None, derandomize=not EXAMPLES, database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example],
    )  # fmt: skip


def said_by(work: Callable[[], object]) -> str:
    """What is said of a failure; any error that is not ours fails the test."""
    try:
        work()
    except EvalkitError as error:
        text = str(error)
        assert text.strip(), type(error)
        assert "Traceback" not in text
        return text
    except typer.Exit:
        return ""
    return ""


def call(*arguments: str) -> str:
    """Run the command line in this process; return all it says and writes."""
    parts: list[str] = []
    with mock.patch.object(typer, "echo", lambda text="", **_: parts.append(str(text))):
        parts.append(said_by(lambda: app(list(arguments), standalone_mode=False)))
    return "\n".join(parts)


def world(folder: Path, study: str | None = None, disclosure: str | None = None, params: str | None = None) -> Path:
    standin.write_world(folder)
    for name, text, base in (
        ("study.yaml", study, worlds.STUDY),
        ("disclosure.yaml", disclosure, worlds.DISCLOSURE),
        ("tiny.yaml", params, worlds.PARAMS),
    ):
        written = yaml.safe_dump(base) if text is None else text
        (folder / name).write_text(written, encoding="utf-8", errors="replace", newline="")
    (folder / "sessions.csv").write_text(",".join(worlds.SESSIONS) + "\n", encoding="utf-8")
    return folder / "study.yaml"


def assert_silent(text: str) -> None:
    assert worlds.CANARY not in text, text[:300]
    assert "QX7" not in text, text[:300]


@bounded(20)
@given(text=worlds.yaml_text(worlds.STUDY))
def test_any_protocol(text: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        study = world(folder, study=text)
        said = call("validate", str(study), "--out", str(folder / "validation.json"))
        assert "QX7" not in said


@bounded(25)
@given(text=worlds.yaml_text(worlds.DISCLOSURE))
def test_any_policy(text: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        study = load_study(world(Path(name), disclosure=text))

        def read() -> None:
            rules = load_disclosure(study)
            own = {k: v for k, v in rules.model_dump().items() if k in Policy.__dataclass_fields__}
            assert Policy(**{**own, "landmarks": tuple(rules.landmarks)}).minimum_count >= 1

        said_by(read)


@bounded(12)
@given(
    text=worlds.yaml_text(worlds.PARAMS),
    given_values=st.lists(
        st.tuples(st.sampled_from(["horizon_days", "study", "", "horizon_days "]) | worlds.nasty, worlds.nasty),
        max_size=2,
    ),
    period=st.sampled_from(["2000Q4", "newest", "all", "2000-01-01..2000-03-31", ".."]) | worlds.nasty,
)
def test_any_parameters(text: str, given_values: list[tuple[str, str]], period: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        study = world(folder, params=text)
        overrides = tuple(f"{key}={value}" for key, value in given_values)
        request = Request("tiny", (period,), parameters=overrides, out=folder / "reports")

        def prepare() -> None:
            for job in plan(request, study):
                values = parameters_of(job, read_notebook(job.notebook))
                assert set(values) <= {"study", "period", "horizon_days"}
                assert type(values.get("horizon_days", 1)) is int
                assert job.target.resolve().is_relative_to((folder / "reports").resolve())

        assert_silent(said_by(prepare))


@bounded(8)
@given(
    people=worlds.table(worlds.PEOPLE),
    sessions=worlds.table(worlds.SESSIONS),
    form=st.sampled_from(["csv", "xlsx", "parquet", "duckdb"]),
)
def test_any_tables(people: pd.DataFrame, sessions: pd.DataFrame, form: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables = {
            n: {"path": worlds.write_table(t, folder, n, form)}
            for n, t in (("participants", people), ("sessions", sessions))
        }
        study = world(folder, study=yaml.safe_dump({**worlds.STUDY, "tables": tables}))
        out = folder / "validation.json"
        assert_silent(call("validate", str(study), "--out", str(out)))
        assert_silent(out.read_text(encoding="utf-8") if out.exists() else "")


@bounded(10)
@given(content=st.binary(max_size=200), form=st.sampled_from(["csv", "xlsx", "parquet", "duckdb", "txt", "tsv"]))
def test_any_bytes_as_a_table(content: bytes, form: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / f"people.{form}").write_bytes(content)
        study = world(
            folder, study=yaml.safe_dump({**worlds.STUDY, "tables": {"participants": {"path": f"people.{form}"}}})
        )
        call("validate", str(study), "--out", str(folder / "validation.json"))


# -- The audit: whatever stands around it, and however it is disguised, an identifier is found -----------------------

_DISGUISES: list[Callable[[str], str]] = [
    str, str.upper, str.lower, str.swapcase,
    "\u200b".join, "\u00ad".join, "\u2060".join,
    lambda s: "".join(f"&#{ord(c)};" for c in s),
    lambda s: "".join(f"&#x{ord(c):x};" for c in s),
    lambda s: "".join(f"%{ord(c):02X}" for c in s),
    lambda s: "".join(f"%25{ord(c):02X}" for c in s),
    lambda s: "".join(f"\\u{ord(c):04x}" for c in s),
    lambda s: "".join(chr(ord(c) + 0xFEE0) for c in s),
    lambda s: s[:3] + "**" + s[3:6] + "**" + s[6:],
    lambda s: s[:1] + "\u0301" + s[1:],
]  # fmt: skip


@bounded(60)
@given(
    identifier=st.from_regex(r"[A-Za-z]{1,3}[0-9]{5,8}", fullmatch=True),
    before=st.text(max_size=20), after=st.text(max_size=20), disguise=st.sampled_from(_DISGUISES),
)  # fmt: skip
def test_an_identifier_is_found_whatever_stands_around_it(
    identifier: str, before: str, after: str, disguise: Callable[[str], str]
) -> None:
    guard = guard_for("", identifiers=[identifier], secrets=[], paths=[], protocol="", authored="", days=[])
    # What stands at the seam must not join the disguise itself: '&', '%' and '\' begin other escapes.
    text = f"{before} {disguise(identifier)} {after}"
    assert guard.objection([text], dated=False)
    assert identifier.casefold() not in guard.scrub(f"failed on {identifier} again").casefold()


@bounded(60)
@given(text=st.text(string.ascii_letters + string.digits + " .,;:%()<>&'\"\n-/_*", max_size=200))
def test_a_text_without_the_identifier_passes(text: str) -> None:
    guard = guard_for("", identifiers=["Zq0837465"], secrets=[], paths=[], protocol="", authored="", days=[])
    if "0837465" not in re.sub(r"\W", "", text):
        assert not guard.objection([text], dated=False) or re.search(r"\w+(?:\+\w+)?:/", text)


@bounded(10)
@given(text=worlds.nasty | st.text(st.sampled_from(list("<>[](){}!=`#*_-:@|^~$\\ \n\tabc1")), max_size=60))
def test_any_markdown_is_judged(text: str) -> None:
    assert isinstance(audit_markdown(text), str)


@bounded(40)
@given(
    values=st.lists(st.from_regex(r"[A-Za-z]{2,5}[0-9]{3,6}", fullmatch=True), min_size=1, max_size=3),
    quote=st.sampled_from("'\""),
)
def test_an_error_of_python_loses_the_values_it_quotes(values: list[str], quote: str) -> None:
    message = f"KeyError: {', '.join(quote + v + quote for v in values)} not in index; row {values[0]}"
    said = redact(message, "people.loc[first]")
    assert not any(value in said for value in values)
