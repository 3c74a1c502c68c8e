"""The commands."""

from __future__ import annotations

__all__ = ["app"]

from pathlib import Path
from typing import Annotated, Optional

import typer

from evalkit._version import __version__
from evalkit.cli._groups import (
    DEFAULT_STUDY,
    StudyOption,
    ledgers,
    protocols,
    reports_like,
    tables_like,
    written_reason,
)

app = typer.Typer(
    name="evalkit",
    help="Reproducible evaluation reports of human-service programmes.",
    no_args_is_help=True,
    # The pretty ones can show what variables hold: rows of tables.
    pretty_exceptions_enable=False,
)

_ReportArgument = Annotated[
    str, typer.Argument(help="Name of the report: quarterly, final, or your own.", autocompletion=reports_like)
]
_ParamsOption = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--params", help="The report's parameters; found by its name when not given."),
]
_ParameterOption = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("-P", help="key=value: one of the notebook's parameters; may be repeated."),
]
_StudiesOption = Annotated[
    Optional[list[Path]],  # noqa: UP045
    typer.Option("--study", help="The study's protocol; may be repeated.  [default: params/study.yaml]"),
]


def _version(*, value: bool) -> None:
    if value:
        typer.echo(f"evalkit {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda value: _version(value=value), is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    """Reproducible evaluation reports of human-service programmes."""


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the study: new, or without files of these names.")],
    demo: Annotated[bool, typer.Option("--demo", help="With simulated tables: it renders at once.")] = False,
    id: Annotated[Optional[str], typer.Option("--id", help="Short name: a to z, 0 to 9, -.")] = None,  # noqa: UP045
    title: Annotated[Optional[str], typer.Option("--title", help="As reports print it.")] = None,  # noqa: UP045
    starts: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--starts", metavar="DAY", help="First day on which a referral belongs to it: 2021-11-18."),
    ] = None,
    focus: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--focus", metavar="VALUE=LABEL", help="The group the study is about."),
    ] = None,
    comparison: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--comparison", metavar="VALUE=LABEL", help="The group it is compared with."),
    ] = None,
    assignment: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--assignment", help="What sets the groups apart: mandate, random or other."),
    ] = None,
    tables: Annotated[Optional[Path], typer.Option("--tables", help="Folder of the raw tables.")] = None,  # noqa: UP045
    language: Annotated[str, typer.Option("--language", help="Of its reports: en or es.")] = "en",
) -> None:
    """Begin a study: protocol, notebooks and all that a render needs; what is not said is asked on a terminal."""
    from evalkit.cli._init import Answers, run  # noqa: PLC0415

    run(folder, Answers(id, title, starts, focus, comparison, assignment, tables, demo, language))


@app.command()
def render(
    report: _ReportArgument,
    period: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--period", help="2022Q3, 2021-11-18..2022-06-30, newest, due or all; may be repeated."),
    ] = None,
    study: _StudiesOption = None,
    params: _ParamsOption = None,
    parameter: _ParameterOption = None,
    name: Annotated[
        str, typer.Option("--as", metavar="NAME", help="Publish beside the report's own releases, as REPORT.NAME.")
    ] = "",
    for_each: Annotated[
        str,
        typer.Option(
            "--for-each", metavar="COLUMN", help="A release for each value: site; sets the parameter so named."
        ),
    ] = "",
    publisher: Annotated[Optional[str], typer.Option("--publisher", help="auto, quarto or embedded.")] = None,  # noqa: UP045
    to: Annotated[Optional[str], typer.Option("--to", help="pdf, html or pdf,html.")] = None,  # noqa: UP045
    out: Annotated[Path, typer.Option("--out", help="The reports folder.")] = Path("reports"),
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="How many studies at once.")] = 1,
    supersede: Annotated[
        str,
        typer.Option(
            "--supersede", metavar="WHY", help="Publish a new revision, with this reason, and keep the old one."
        ),
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Render although nothing changed.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Only say what would be rendered, and why.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say what became of each render as JSON.")] = False,
    new_ledger: Annotated[
        str,
        typer.Option("--new-ledger", metavar="WHY", help="Begin another ledger, which knows no earlier release; why."),
    ] = "",
    verbose: Annotated[bool, typer.Option("--verbose", help="Say at which line a cell failed.")] = False,
) -> None:
    """Run a report's notebook and publish it; 0: published or up to date, 13: waits for approval."""
    from evalkit.cli._render import Request, run  # noqa: PLC0415

    request = Request(
        report=report,
        periods=tuple(period or ()),
        studies=tuple(study or (DEFAULT_STUDY,)),
        params=params,
        parameters=tuple(parameter or ()),
        publisher=publisher,
        to=to,
        out=out,
        jobs=jobs,
        supersede=written_reason(supersede, "--supersede"),
        force=force,
        explain=explain,
        new_ledger=written_reason(new_ledger, "--new-ledger"),
        json=as_json,
        verbose=verbose,
        name=name,
        for_each=for_each,
    )
    raise typer.Exit(run(request))


@app.command()
def draft(
    report: _ReportArgument,
    period: Annotated[str, typer.Option("--period", help="2022Q3, 2021-11-18..2022-06-30 or newest.")] = "",
    study: StudyOption = DEFAULT_STUDY,
    params: _ParamsOption = None,
    parameter: _ParameterOption = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Make a PDF, too.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Serve it here, and make it again after each edit.")] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Of the server; any free one.")] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in a browser.")] = True,
) -> None:
    """Make a draft: checks first, then the page, marked as a draft on every page, in the private folder; no release."""
    from evalkit.cli._draft import run  # noqa: PLC0415
    from evalkit.cli._render import Request  # noqa: PLC0415

    request = Request(
        report=report,
        periods=(period,) if period else (),
        studies=(study,),
        params=params,
        parameters=tuple(parameter or ()),
        # Both publishers make the same pages, and this one needs no program beside.
        publisher="embedded",
    )
    raise typer.Exit(run(request, pdf=pdf, watch=watch, port=port, browser=browser))


# What is no option of ours is one of JupyterLab's.
@app.command(context_settings={"ignore_unknown_options": True})
def lab(
    words: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(
            metavar="[REPORT] [OPTIONS OF JUPYTERLAB]",
            help="The report whose notebook is opened; the folder when not given. Then --port 8899, --no-browser, ...",
            show_default=False,
        ),
    ] = None,
    study: StudyOption = DEFAULT_STUDY,
) -> None:
    """Open JupyterLab at the study's notebooks; what publishing would refuse of a cell is said below it."""
    from evalkit.cli._lab import run  # noqa: PLC0415

    run(words or (), study)


@app.command()
def status(
    report: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(help="Names of reports; those with a file beside the protocol when not given."),
    ] = None,
    study: _StudiesOption = None,
    out: Annotated[Path, typer.Option("--out", help="The reports folder.")] = Path("reports"),
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Say of each report and period whether it is up to date, waits, is due, or what stops it; renders nothing."""
    from evalkit.cli._status import run  # noqa: PLC0415

    raise typer.Exit(run(tuple(report or ()), tuple(study or (DEFAULT_STUDY,)), out, as_json=as_json))


@app.command()
def verify(
    release: Annotated[Path, typer.Argument(help="The release folder.")],
    study: StudyOption = DEFAULT_STUDY,
    public_key: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--public-key", help="Of whoever signed it: its signature is checked."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Files and signature only; nothing is rendered.")] = False,
    publisher: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--publisher", help="quarto or embedded: makes it again, instead of the one that made it."),
    ] = None,
) -> None:
    """Say whether a release is as it was published, and whether the same comes out again."""
    from evalkit.cli._releases import run_verify  # noqa: PLC0415

    raise typer.Exit(run_verify(release, study, public_key, quick=quick, publisher=publisher))


@app.command()
def schedule(
    kind: Annotated[str, typer.Option("--print", help="systemd, cron, github or airflow.")],
    report: Annotated[str, typer.Argument(help="Name of the report.")] = "quarterly",
    study: StudyOption = DEFAULT_STUDY,
    out: Annotated[Path, typer.Option("--out", help="The reports folder.")] = Path("reports"),
    to: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--to", help="Folder to write the files to; the terminal when not given."),
    ] = None,
    for_each: Annotated[
        str, typer.Option("--for-each", metavar="COLUMN", help="Of each value a release, as in render: site.")
    ] = "",
) -> None:
    """Print the files with which a scheduler renders, every night, what is due."""
    from evalkit.cli._schedule import run  # noqa: PLC0415

    run(kind, report, study, out, to, for_each)


keys = typer.Typer(help="Keys that sign releases.", no_args_is_help=True)
app.add_typer(keys, name="key")


@keys.command("new")
def key_new(
    study: StudyOption = DEFAULT_STUDY,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", help="The private key's file; the study's private folder when not given."),
    ] = None,
    approver: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--approver", metavar="NAME", help="The key of somebody who approves, instead of the study's."),
    ] = None,
) -> None:
    """Make the key pair that signs a study's releases, or the approvals of one person."""
    from evalkit.cli._releases import new_approver_key, new_study_key  # noqa: PLC0415

    if approver is None:
        name, private, public = new_study_key(study, out)
    else:
        name, private, public = new_approver_key(study, approver, out)
    variable = "EVALKIT_SIGNING_KEY" if approver is None else "EVALKIT_APPROVER_KEY"
    typer.echo(f"key {name}\n  private: {private} (keep it; {variable} may name it)")
    typer.echo(f"  public:  {public} (give it to those who check releases)")


app.add_typer(ledgers, name="ledger")
app.add_typer(protocols, name="protocol")


@app.command()
def simulate(
    out: Annotated[Path, typer.Option("--out", help="Folder of the tables.")] = Path("data/demo"),
    scenario: Annotated[str, typer.Option("--scenario", help="The truth to simulate.")] = "benefit",
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same study.")] = 20211118,
    n_focus: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--n-focus", min=1, help="People in the pilot; the scenario's own number when not given."),
    ] = None,
    n_comparison: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--n-comparison", min=1, help="People in PAIP; the scenario's own number when not given."),
    ] = None,
) -> None:
    """Write the tables of a synthetic study whose truth is known."""
    from evalkit.simulate import simulate as make  # noqa: PLC0415

    make(scenario, seed=seed, n_focus=n_focus, n_comparison=n_comparison).write(out)
    typer.echo(f"wrote a synthetic study ({scenario}, seed {seed}) to {out}")


@app.command()
def validate(
    study: Annotated[Path, typer.Argument(help="The study's protocol.")] = DEFAULT_STUDY,
    period: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--period", help="Say what would stop a report of that period: 2022Q3, a range or newest."),
    ] = None,
    codes: Annotated[
        bool, typer.Option("--codes", help="Show values that the protocol does not name, and what they may stand for.")
    ] = False,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", help="A JSON file of the findings; none when not given."),
    ] = None,
) -> None:
    """Check a study's tables against its rules; values are shown with --codes only, identifiers never."""
    from evalkit.cli._validate import run  # noqa: PLC0415

    raise typer.Exit(run(study, period, out, codes=codes))


@app.command("map")
def map_table(
    table: Annotated[
        str,
        typer.Argument(
            help="participants, sessions, exits, outcomes, measures or searches.", autocompletion=tables_like
        ),
    ],
    files: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(help="The export's files, or patterns in quotes; what the protocol says when not given."),
    ] = None,
    study: StudyOption = DEFAULT_STUDY,
    sheet: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--sheet", help="A sheet that is meant; may be repeated."),
    ] = None,
    answer: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--answer", metavar="KEY=ANSWER", help="An answer to a question; may be repeated."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write it without asking.")] = False,
) -> None:
    """Look through an export, propose how the protocol reads a table from it, and write that after a yes."""
    from evalkit.cli._map import run  # noqa: PLC0415

    run(table, files or (), study, sheet or (), answer or (), yes=yes)


@app.command()
def example(
    name: Annotated[str, typer.Argument(help="rossi: the released-prisoners experiment.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the study.")],
) -> None:
    """Write a ready study made of public data."""
    from evalkit.errors import UsageError, did_you_mean  # noqa: PLC0415
    from evalkit.examples import write_rossi  # noqa: PLC0415

    examples = {"rossi": write_rossi}
    if name not in examples:
        msg = f"there is no example '{name}'{did_you_mean(name, examples)}; there are: {', '.join(examples)}"
        raise UsageError(msg)
    examples[name](out)
    typer.echo(f"wrote the study to {out}; next: evalkit render final --study {out / 'study.yaml'}")


@app.command()
def schema(
    out: Annotated[Path, typer.Option("--out", help="Folder of the schemas.")] = Path("params/schema"),
) -> None:
    """Write JSON Schemas of the protocol's files, for editors."""
    from evalkit.protocol import write_schemas  # noqa: PLC0415

    for file in write_schemas(out):
        typer.echo(f"wrote {file}")


@app.command()
def dictionary(
    study: StudyOption = DEFAULT_STUDY,
    out: Annotated[Optional[Path], typer.Option("--out", help="A Markdown file; the terminal when not given.")] = None,  # noqa: UP045
) -> None:
    """Write the study's data dictionary as Markdown."""
    from evalkit.intake import dictionary as make  # noqa: PLC0415
    from evalkit.protocol import load_study  # noqa: PLC0415

    text = make(load_study(study))
    if out is None:
        typer.echo(text)
    else:
        out.write_text(text, encoding="utf-8")
        typer.echo(f"wrote {out}")


@app.command()
def review(
    release: Annotated[Path, typer.Argument(help="The release folder.")],
    study: StudyOption = DEFAULT_STUDY,
) -> None:
    """Write the output-check pack of a release: each output and the counts underneath, in private."""
    from evalkit.protocol import load_study  # noqa: PLC0415
    from evalkit.publish import write_pack  # noqa: PLC0415

    pack = write_pack(release.expanduser().absolute(), load_study(study))
    typer.echo(f"wrote {pack / 'index.html'} (exact counts: it must not leave the team)")


@app.command()
def approve(
    release: Annotated[Path, typer.Argument(help="The release folder, published or waiting.")],
    name: Annotated[str, typer.Option("--name", help="Who approves.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it may go out.")],
    study: StudyOption = DEFAULT_STUDY,
    key: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--key", help="The approver's private key, where it is not in the study's private folder."),
    ] = None,
) -> None:
    """Record that a person approved a release (who, when, why); one that waits for it is published."""
    from evalkit.cli._releases import run_approve  # noqa: PLC0415

    typer.echo(run_approve(release.expanduser().absolute(), study, name, reason, key))


@app.command()
def withdraw(
    release: Annotated[Path, typer.Argument(help="The release folder.")],
    why: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(help="Why, in a sentence; it is published. Left out, no table is opened to search it."),
    ] = None,
    study: StudyOption = DEFAULT_STUDY,
) -> None:
    """Take a published release away; when and why stays in the ledger's folder and beside the release."""
    from evalkit.cli._releases import run_withdraw  # noqa: PLC0415

    reason = None if why is None else written_reason(why or "-", "why")  # "" is none
    typer.echo(run_withdraw(release.expanduser().absolute(), study, reason))


@app.command()
def archive(
    release: Annotated[Path, typer.Argument(help="The release folder.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the zip.")] = Path("archives"),
    study: StudyOption = DEFAULT_STUDY,
) -> None:
    """Write a release as one zip for an archive: the same bytes each time, and nothing private."""
    from evalkit.cli._releases import run_archive  # noqa: PLC0415

    typer.echo(run_archive(release.expanduser().absolute(), study, out.expanduser()))


@app.command()
def site(
    out: Annotated[Path, typer.Option("--out", help="Folder of the site: new, empty, or an older site of the study.")],
    reports: Annotated[Path, typer.Option("--reports", help="The reports folder.")] = Path("reports"),
    study: StudyOption = DEFAULT_STUDY,
    url: Annotated[str, typer.Option("--url", help="Address at which the site will stand, for its news feed.")] = "",
) -> None:
    """Build the static site of a study's releases, to be published by copying its folder."""
    from evalkit.cli._releases import run_site  # noqa: PLC0415

    for line in run_site(study, reports, out, url):
        typer.echo(line)


@app.command()
def doctor() -> None:
    """Show what a render needs and what is found."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from evalkit.publish import survey  # noqa: PLC0415

    tools = survey()
    table = Table("", "tool", "version", "remark", title=f"evalkit {__version__}", title_justify="left")
    for tool in tools:
        sign = "ok" if tool.version else ("missing" if tool.needed else "optional")
        table.add_row(sign, tool.name, tool.version or "-", tool.remark)
    Console(soft_wrap=True).print(table)
    # As `MissingToolError`: what a render would end with that needs them.
    raise typer.Exit(11 if any(t.needed and not t.version for t in tools) else 0)
