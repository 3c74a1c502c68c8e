"""A study with releases, revisions, an approval and a withdrawal, made without a notebook in a second."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evalkit.protocol import Study, load_study
from evalkit.publish import approve, withdraw
from publish.made import publish, study_in

MORE = """
title: A study of <b>two</b> & more
subtitle: Its pilot
organisation: A team
translations: {es: {A study of <b>two</b> & more: Un estudio, A: Grupo A, A team: Un equipo, Quarterly: Trimestral}}
citation:
  authors: [{family: Doe, given: Jo, orcid: 0000-0002-1825-0097}]
  licence: CC-BY-4.0
  version: "1.1"
"""
HTML = (
    '<!DOCTYPE html><html lang="en"><head><title>t</title></head><body><main><h1>The report</h1></main></body></html>'
)
FUNNEL = "group,term,label,n,n_event,estimate,conf_low,conf_high"
PAGE_ONE = "term,label,measure,group,period,n,estimate,conf_low,conf_high,estimate_id"
CURVE = "group,cause,time,n_risk,estimate,conf_low,conf_high"
WHEN = datetime(2001, 5, 6, 7, 8, 9, tzinfo=UTC)


def resource(label: str, estimate: str, analysis: str, heading: str, caption: str) -> dict[str, Any]:
    """Describe a data file as a release's data package does."""
    fields = [{"name": name, "type": "any"} for name in heading.split(",")]
    return {
        "name": label, "path": f"{label}.csv", "title": f"A headline. {caption}", "caption": caption,
        "estimate": estimate, "analysis": analysis, "schema": {"fields": fields},
    }  # fmt: skip


def contents(
    funnel: Sequence[str], curve: Sequence[str] = (), language: str = "en", page_one: Sequence[str] = ()
) -> dict[str, str]:
    """Return the files of a release with two estimates, and of its page one."""
    caption = {"en": "Steps & shares", "es": "Pasos"}[language]
    resources = [
        resource("fig-funnel", "aaa", "funnel", FUNNEL, "The drawing"),
        resource("tbl-funnel", "aaa", "funnel", FUNNEL, caption),
    ]
    resources += [resource("fig-curve", "bbb", "cumulative_incidence", CURVE, "Leaving")] if curve else []
    # Page one is of several estimates: its name is that of the first, which asks another question in each release.
    said = [resource("tbl-page", f"page{len(page_one)}", "findings", PAGE_ONE, "At a glance")] if page_one else []
    resources = [*said, *resources]
    lines = "\n".join([FUNNEL, *funnel, ""])
    drawn = {"data/fig-curve.csv": "\n".join([CURVE, *curve, ""])} if curve else {}
    drawn |= {"data/tbl-page.csv": "\n".join([PAGE_ONE, *page_one, ""])} if page_one else {}
    return {
        "report.html": HTML, "data/fig-funnel.csv": lines, "data/tbl-funnel.csv": lines, **drawn,
        "data/datapackage.json": json.dumps({"resources": resources}), "data/README.md": "# Data\n",
        "figures/fig-funnel.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>',
    }  # fmt: skip


def facts(study: Study, title: str = "Quarterly", locale: str = "en-US", cut: str = "2000-12-31") -> dict[str, Any]:
    """Return what the manifests of real releases hold beside what `publish.made` writes."""
    document = {"title": title, "subtitle": "", "study": study.title, "organisation": study.organisation,
                "period": "p", "cut": cut, "locale": locale}  # fmt: skip
    return {
        "document": document, "citation": study.citation.model_dump(mode="json"), "synthetic": False, "data_cut": cut,
        "code": {"evalkit": "0.1.0", "sha256": "c"}, "tools": {"typst": "1"}, "inputs": {"study": {"sha256": "e" * 64}},
    }  # fmt: skip


def changes(
    *numbers: tuple[str, str, str, object, object], reasons: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    """Return what a manifest says of what changed."""
    names = ("output", "where", "column", "old", "new")
    return {"reasons": list(reasons), "numbers": [dict(zip(names, n, strict=True)) for n in numbers]}


def world(folder: Path) -> Study:
    """Publish two reports over four quarters: one is revised and approved, one withdrawn."""
    study_in(folder)
    file = folder / "study.yaml"
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("title:")]
    file.write_text("\n".join(lines) + MORE, encoding="utf-8")
    study = load_study(file)
    common = facts(study)
    said = ["referred,People referred,people,A,,24,,,,", "engaged,Engaged,share,A,,20,0.5,0.3,0.7,aaa"]
    first = contents(["A,engaged,Engaged,20,10,0.5,0.3,0.7", "B,engaged,Engaged,,,,,"], page_one=said)
    publish(study, "2000Q1", "quarterly", contents=first, **common)
    gone = publish(study, "2000Q2", "quarterly", contents=first, **common)
    withdraw(gone, study, "Counted <twice>.", WHEN)
    old = contents(["A,engaged,Engaged,30,12,0.4,0.25,0.58", "B,engaged,Engaged,50,49,0.98,0.9,1"])
    publish(study, "2000Q3", "quarterly", contents=old, **common)
    later = [
        "referred,People referred,people,A,,1060,,,,",
        "engaged,Engaged,share,A,,30,0.5,0.33,0.67,aaa",
        "engaged,Engaged,difference,A - B,,,-0.48,-0.6,-0.31,aaa",
        "engaged,Engaged,a quarter ago,A,,,0.5,,,aaa",
        "engaged 2000Q2,Engaged,quarter of referral,A,2000Q2,12,0.5,,,aaa",
    ]
    new = contents(
        ["A,engaged,Engaged,30,15,0.5,0.33,0.67", "B,engaged,Engaged,50,49,0.98,0.9,1"],
        ["A,left,0,30,0,0,0", "A,left,17,,0.1,0,0.2", "A,left,90,20,0.25,0.1,0.4"],
        page_one=later,
    )
    said = changes(
        ("tbl-funnel", "group A, term engaged", "n_event", 12, 15),
        ("tbl-funnel", "group A, term engaged", "estimate", 0.4, 0.5),
        ("tbl-funnel", "group C", "n", None, None),
        reasons=[{"kind": "parameter", "name": "horizon_days", "old": "364", "new": "182"}],
    )
    revised = publish(
        study, "2000Q3", "quarterly", contents=new, change_note="A late file came.", changes=said, **common
    )
    approve(revised, study, name="Ann & Bo", reason="Looked at.", now=WHEN)
    spanish = contents(["A,engaged,Participa,30,15,0.5,0.33,0.67"], language="es")
    publish(study, "2000Q3", "quarterly-es", contents=spanish, **facts(study, "Trimestral", "es-US"))
    return study
