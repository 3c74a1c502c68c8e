"""Ways in which something could leave that must not: cells to run, cells to write, files to spoil.

Each is put into a notebook that is otherwise clean. What a careless researcher could do comes first; what only somebody
who tries would do follows.
"""

from __future__ import annotations

from dataclasses import dataclass

PERSON, SHORT, NUMBER = "QX81f2aa03", "RS17", "4711023"

SETUP = f"""
import base64, json, sys, warnings
import pandas as pd
from IPython.display import HTML, JSON, SVG, FileLink, Image, Javascript, Latex, Markdown, display, update_display
from IPython.utils.capture import capture_output
person = "{PERSON}"
people = pd.DataFrame({{"participant_id": [person, "QX90c4d512"], "age": [31, 44]}})
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")

def genuine(text="At most 40%.", **more):
    with capture_output() as caught:
        emit("markdown", text, kind="groups", **more)
    output = caught.outputs[0]
    return output.data, output.metadata

def drawing(inside):
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{{inside}}</svg>'

def figure(inside, **mark):
    emit("figure", drawing(inside), estimate="abc123abc123", kind="drawn", verdict="released", **mark)

def table(cell, attributes="", **mark):
    head = "<table><thead><tr><th>A</th></tr></thead><tbody>"
    emit("table", f"{{head}}<tr><td{{attributes}}>{{cell}}</td></tr></tbody></table>", kind="provenance", **mark)

def say(text):
    emit("markdown", text, kind="groups")
"""

FIGURE = '#| label: fig-leak\n#| fig-cap: "A figure"\n#| fig-alt: "A square"\n'
TABLE = '#| label: tbl-leak\n#| tbl-cap: "A table"\n'


@dataclass(frozen=True)
class Leak:
    """A cell that leaks, and a word of the message that stops it."""

    name: str
    source: str
    words: str
    tags: tuple[str, ...] = ()


RUN = [
    # -- put out past the doors
    Leak("printed value", "print(people.iloc[0])", "printed text"),
    Leak("print without a value", "print('done')", "printed text"),
    Leak("written to stdout", "sys.stdout.write(person);", "printed text"),
    Leak("shell command", "!echo QX81f2aa03", "printed text"),
    Leak("written to stderr", "print(person, file=sys.stderr)", "a warning or error text"),
    Leak("warning that quotes a row", "warnings.warn(str(people.iloc[0]))", "a warning or error text"),
    Leak("logged row", "import logging\nlogging.warning('%s', person)", "a warning or error text"),
    Leak("shell cell", "%%bash\necho QX81f2aa03", "printed text"),
    Leak("bare frame", "people", "HTML (a data frame, say)"),
    Leak("displayed frame", "display(people)", "HTML (a data frame, say)"),
    Leak("styled frame", "people.style.highlight_max('age')", "HTML (a data frame, say)"),
    Leak("repr of a row", "people.iloc[0]", "a value"),
    Leak("last line is a text", "person", "a value"),
    Leak(
        "unmarked matplotlib figure",
        "import matplotlib.pyplot as plt\nplt.plot(people['age'])\nplt.show()",
        "did not pass",
    ),
    Leak("axes as last line", "import matplotlib.pyplot as plt\nplt.plot(people['age'])", "did not pass"),
    Leak("seaborn figure", "import seaborn as sns\nsns.histplot(people['age']);", "did not pass"),
    Leak("unmarked SVG", "display(SVG(drawing('<text>a</text>')))", "a figure"),
    Leak("unmarked HTML", "display(HTML('<b>b</b>'))", "HTML"),
    Leak("html magic", "%%html\n<b>b</b>", "HTML"),
    Leak("script", "display(Javascript('1'))", "a script"),
    Leak("LaTeX", "display(Latex('$a$'))", "LaTeX"),
    Leak("JSON", "display(JSON({'a': 1}))", "JSON"),
    Leak("Markdown past the doors", "display(Markdown('words'))", "Markdown"),
    Leak("picture", "display(Image(data=PIXEL))", "a picture"),
    Leak("link to a file", "display(FileLink('rows.csv'))", "did not pass"),
    Leak(
        "widget",
        "display({'application/vnd.jupyter.widget-view+json': {'model_id': 'a'}, 'text/plain': 'w'}, raw=True)",
        "a widget",
    ),
    Leak("unknown type", "display({'application/x-rows': 'a,b'}, raw=True)", "content of type application/x-rows"),
    Leak("PDF", "display({'application/pdf': 'JVBERi0='}, raw=True)", "a PDF"),
    # -- numbers that an author counts into the words that a door takes
    Leak(
        "counted into a note",
        "emit('markdown', 'a', kind='groups', typed=[f'Only {len(people)} of them'])",
        "puts a number into words",
    ),
    Leak(
        "counted into a label, with a number typed elsewhere in the cell",
        "days = 2\nemit('markdown', 'a', kind='groups', typed=[f'Share ({len(people)} another)'])",
        "puts a number into words",
    ),
    Leak(
        "a number of the protocol that is small",
        "n = 2\nemit('markdown', 'a', kind='groups', typed=[f'{n}'])",
        "puts a number",
    ),
    # -- cells that are not shown
    Leak("hidden cell", "#| include: false\nprint(person)", "printed text"),
    Leak("cell without output", "#| output: false\npeople", "HTML"),
    Leak("removed cell", "people", "HTML", ("remove",)),
    # -- marks that display did not make, or made for something else
    Leak(
        "mark by hand",
        "display({'text/markdown': person}, raw=True, metadata={'evalkit': {'shows': 'markdown', 'kind': 'groups'}})",
        "its mark is not of this run",
    ),
    Leak(
        "mark with a guessed seal",
        "display({'text/markdown': 'a'}, raw=True, metadata={'evalkit': {'shows': 'markdown', 'kind': 'groups', 'number': 90, 'seal': '0' * 64}})",
        "its mark is not of this run",
    ),
    Leak(
        "mark copied to other content",
        "data, mark = genuine()\ndisplay({**data, 'text/markdown': 'At most 41%.'}, raw=True, metadata=mark)",
        "its mark is not of this run",
    ),
    Leak(
        "mark with another verdict",
        "data, mark = genuine()\nmark['evalkit']['alt'] = 'changed'\ndisplay(data, raw=True, metadata=mark)",
        "its mark is not of this run",
    ),
    Leak(
        "output changed afterwards",
        "data, mark = genuine()\ndisplay(data, raw=True, metadata=mark, display_id='d')\nupdate_display({'text/markdown': 'At most 42%.'}, raw=True, metadata=mark, display_id='d')",
        "its mark is not of this run",
    ),
    Leak(
        "genuine output shown twice",
        "data, mark = genuine()\ndisplay(data, raw=True, metadata=mark)\ndisplay(data, raw=True, metadata=mark)",
        "shows again",
    ),
    Leak(
        "another type beside a marked one",
        "data, mark = genuine()\ndisplay({**data, 'application/json': {'a': 1}}, raw=True, metadata=mark)",
        "application/json beside",
    ),
    Leak(
        "frame in the plain text beside a marked one",
        "data, mark = genuine()\ndisplay({**data, 'text/plain': str(people)}, raw=True, metadata=mark)",
        "its mark is not of this run",
    ),
    Leak(
        "metadata beside the mark",
        "data, mark = genuine()\ndisplay(data, raw=True, metadata={**mark, 'rows': person})",
        "its mark is not of this run",
    ),
    Leak(
        "marked value of the last line",
        "class Shown:\n    def _repr_mimebundle_(self, **_):\n        return genuine()\nShown()",
        "did not pass",
    ),
    Leak("marked output and a print", "say('fine')\nprint('.')", "printed text"),
    # -- around the doors
    Leak("private module", "from evalkit.report._mark import emit as out", "evalkit.report._mark"),
    Leak(
        "private module by name",
        "import importlib\nimportlib.import_module('evalkit.report._mark');",
        "evalkit.report._mark",
    ),
    Leak("private module by its package", "from evalkit.report import _mark", "evalkit.report._mark"),
    Leak("private method of the report", "class R:\n    _emit = print\nq = R()._emit", "_emit"),
    Leak("the seal itself", "from evalkit import seal", "evalkit.seal"),
    # -- an identifier in something that passed
    Leak("identifier in a sentence", "say(f'It was {person}.')", "its text holds a participant's identifier"),
    Leak("identifier inside another word", "say(f'x{person}y')", "identifier"),
    Leak("identifier in other case", "say(person.swapcase())", "identifier"),
    Leak("identifier split by zero-width characters", "say('\\u200b'.join(person))", "identifier"),
    Leak("identifier split by soft hyphens", "say('\\u00ad'.join(person))", "identifier"),
    Leak("identifier in wide letters", "say(''.join(chr(ord(c) + 0xFEE0) for c in person))", "identifier"),
    Leak("identifier URL-encoded", "say('[a](https://example.org/?p=%51%58' + person[2:] + ')')", "identifier"),
    Leak("identifier URL-encoded twice", "say('%2551%2558' + person[2:])", "identifier"),
    Leak("identifier entity-encoded", "say(''.join(f'&#{ord(c)};' for c in person))", "identifier"),
    Leak("identifier split by emphasis", "say(person[:4] + '**' + person[4:6] + '**' + person[6:])", "identifier"),
    Leak("identifier behind backslashes", "say(person[:4] + '\\\\' + person[4:])", "identifier"),
    Leak("short identifier as a word", "say('See RS17.')", "identifier"),
    Leak("number that is an identifier", "say('Case 4711023 left.')", "identifier"),
    Leak("identifier in a table", TABLE + "table(person)", "its table holds a participant's identifier"),
    Leak("identifier split by tags", TABLE + "table(person[:4] + '<b>' + person[4:] + '</b>')", "identifier"),
    Leak("identifier in an attribute", TABLE + "table('a', f' title=\"{person}\"')", "identifier"),
    Leak("number identifier in an attribute", TABLE + "table('a', ' data-row=\"4711023\"')", "identifier"),
    Leak("identifier in an HTML comment", TABLE + "table(f'a<!-- {person} -->')", "identifier"),
    Leak("identifier as a tag", TABLE + "table(f'a<{person}>')", "identifier"),
    Leak(
        "identifier in SVG text",
        FIGURE + "figure(f'<text>{person}</text>')",
        "its figure holds a participant's identifier",
    ),
    Leak(
        "identifier split over tspans",
        FIGURE + "figure(f'<text><tspan>{person[:5]}</tspan><tspan>{person[5:]}</tspan></text>')",
        "identifier",
    ),
    Leak("identifier in SVG title", FIGURE + "figure(f'<title>{person}</title>')", "identifier"),
    Leak("identifier in SVG desc", FIGURE + "figure(f'<desc>{person}</desc>')", "identifier"),
    Leak("identifier in SVG metadata", FIGURE + "figure(f'<metadata><a>{person}</a></metadata>')", "identifier"),
    Leak("identifier in an SVG comment", FIGURE + "figure(f'<!-- {person} -->')", "identifier"),
    Leak("identifier as an SVG id", FIGURE + "figure(f'<g id=\"{person}\"/>')", "identifier"),
    Leak(
        "identifier in SVG character data", FIGURE + "figure(f'<style><![CDATA[ .{person} ]]></style>')", "identifier"
    ),
    Leak(
        "identifier in embedded data",
        FIGURE
        + "figure('<g style=\"a:url(data:text/plain;base64,' + base64.b64encode(person.encode()).decode() + ')\"/>')",
        "identifier",
    ),
    Leak(
        "raster picture in an SVG",
        FIGURE + "figure('<image href=\"data:image/png;base64,' + base64.b64encode(PIXEL).decode() + '\"/>')",
        "<image>",
    ),
    Leak("script in an SVG", FIGURE + "figure('<script>1</script>')", "<script>"),
    Leak("handler in an SVG", FIGURE + "figure('<g onload=\"1\"/>')", "'onload'"),
    Leak("page in an SVG", FIGURE + "figure('<foreignObject/>')", "<foreignobject>"),
    Leak(
        "style sheet from outside",
        FIGURE + "figure('<style>@import url(https://example.org/a.css);</style>')",
        "loads something",
    ),
    Leak("iframe in a table", TABLE + "table('<iframe></iframe>')", "<iframe>"),
    Leak("picture in a table", TABLE + "table('<img alt=\"\">')", "<img>"),
    Leak(
        "identifier in the finding for blind readers", FIGURE + "figure('<g/>', alt=f'It is {person}.')", "identifier"
    ),
    Leak("identifier in a caption", FIGURE.replace("A figure", f"Of {PERSON}") + "figure('<g/>')", "identifier"),
    Leak(
        "identifier in an alternative text", FIGURE.replace("A square", f"Of {PERSON}") + "figure('<g/>')", "identifier"
    ),
    Leak("identifier in a label", FIGURE.replace("fig-leak", f"fig-{PERSON}") + "figure('<g/>')", "identifier"),
    Leak(
        "raw HTML in a caption", TABLE.replace("A table", "A <b>table</b>") + "table('a')", "its caption holds raw html"
    ),
    Leak("picture in a sentence", "say('![a](chart.png)')", "picture"),
    Leak("raw HTML in a sentence", "say('<b>a</b>')", "raw html"),
    # -- other things of a person, or of the machine
    Leak("exact day", "say('It happened on 2001-03-17.')", "exact day"),
    Leak("exact day in words", "say('It happened on March 17, 2001.')", "exact day"),
    Leak("exact day in Spanish", "say('El 17 de marzo de 2001.')", "exact day"),
    Leak("exact day with slashes", TABLE + "table('3/17/2001')", "exact day"),
    Leak(
        "shown code with an identifier",
        f"#| echo: true\nchosen = '{PERSON}'",
        "its code, which is shown, holds a participant's identifier",
    ),
    Leak(
        "shown code with a database's address",
        "#| echo: true\naddress = 'postgresql://host/study'",
        "address of a database",
    ),
    Leak("address with a password", "say('https://ann:secret@example.org')", "address of a database, or its password"),
    Leak("the password alone", "say('hunter2hunter2')", "address of a database, or its password"),
    Leak("folder of this machine", "say('in /srv/secret-study/rows')", "path of a folder"),
]

WRITTEN = [
    Leak("picture in the text itself", "![a](data:image/png;base64,iVBORw0KGgo=)", "picture"),
    Leak("attached picture", "![a](attachment:a.png)", "picture"),
    Leak("remote picture", "![a](https://example.org/a.png)", "picture"),
    Leak("picture file", "![a](chart.png)", "picture"),
    Leak("picture by reference", "![a][b]\n\n[b]: chart.png", "picture"),
    Leak("picture as HTML", '<img src="chart.png">', "raw html"),
    Leak("raw HTML", "<form>words</form>", "raw html"),
    Leak("script in the text", "<script>1</script>", "raw html"),
    Leak("iframe in the text", '<iframe src="a.html"></iframe>', "raw html"),
    Leak("HTML comment", "words <!-- a note --> words", "HTML comment"),
    Leak("raw Typst", '```{=typst}\n#read("/etc/hostname")\n```', "raw typst"),
    Leak("raw inline Typst", "`#sys.inputs`{=typst}", "raw typst"),
    Leak("handler as an attribute", "[a]{onclick=go}", "'onclick'"),
    Leak("link that runs", "[a](javascript:go)", "no web address"),
    Leak("link to a file of the machine", "[a](file:///etc/hostname)", "no web address"),
    Leak("Quarto shortcode", "{{< include rows.md >}}", "shortcode"),
    Leak("document settings", "---\ntitle: a\n---\n\nwords", "document settings"),
    Leak("identifier in the text", f"Thanks to {PERSON}.", "identifier"),
    Leak("identifier in a link", f"[a](https://example.org/{PERSON})", "identifier"),
    Leak("identifier as a name of a heading", f"# A {{#sec-{PERSON}}}", "identifier"),
    Leak("identifier in a code block", f"```\n{PERSON}\n```", "identifier"),
    Leak("identifier in a footnote", f"Words.[^1]\n\n[^1]: {PERSON}", "identifier"),
    Leak("password", "postgresql://ann:secret@host/study", "address of a database"),
]
