"""The release site as a whole: what its pages say, that nothing else is in it, and that it stands by itself."""

from __future__ import annotations

import errno
import hashlib
import html
import json
import re
import shutil
import subprocess
import sys
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from evalkit.errors import ReleaseError, UsageError, VerificationError
from evalkit.protocol import Study
from evalkit.publish import withdraw
from evalkit.publish.release import CITATION, CRATE
from evalkit.site import _build, build_site
from evalkit.site._gather import gather
from evalkit.site._pages import Writer
from evalkit.site._series import questions
from evalkit.site._words import Reader
from evalkit.words import messages_for
from publish.made import kept, publish, study_in
from release_site.published import WHEN, contents, facts, world

TODAY = datetime.now(UTC)
POLICY = re.compile(
    r"default-src 'none'; img-src 'self'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'; form-action 'none'"
)


class Stopped(datetime):
    """A clock that stands: midnight may lie between a release and the look at its page."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return TODAY.astimezone(tz)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evalkit.publish.release._ledger.datetime", Stopped)
        return world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def site(study: Study) -> Path:
    built = build_site(study, study.folder / "reports", study.folder / "site")
    assert (built.releases, built.withdrawn, built.left_out) == (4, 1, ())
    return built.folder


def words(page: Path) -> str:
    """Return the words of a page's main part, a line for each piece."""
    text = page.read_text(encoding="utf-8")
    main = re.search(r"<main.*?>(.*)</main>", text, re.DOTALL)[1]
    main = re.sub(r'<span lang="[a-z]+">(.*?)</span>', r"\1", main)  # part of a line in another language
    lines = (" ".join(html.unescape(part).split()) for part in re.split(r"<[^>]+>", main))
    return "\n".join(line for line in lines if line)


def day(language: str = "en") -> str:
    return messages_for(f"{language}-US").day(TODAY.date())


class TestWhatPagesSay:
    def test_the_index(self, site: Path) -> None:
        assert words(site / "index.html") == "\n".join([
            "A study of <b>two</b> & more", "Its pilot", "Newest reports",
            "Quarterly, third quarter of 2000", "Data cut: September 30, 2000", "Read:",
            "Web page", ": Quarterly, third quarter of 2000",
            "Headline indicators over time", ": Quarterly", "People referred; Engaged",
            "All reports, newest first",
            "Quarterly", "Period", "Data cut", "Published", "Revision", "Read",
            "Third quarter of 2000", ": Quarterly", "September 30, 2000", day(), "2", "Web page", ": Quarterly, third quarter of 2000",
            "Second quarter of 2000", ": Quarterly", "June 30, 2000", "Withdrawn: May 6, 2001. Counted <twice>.",
            "First quarter of 2000", ": Quarterly", "March 31, 2000", day(), "1", "Web page", ": Quarterly, first quarter of 2000",
            "Trimestral", "ES", "Period", "Data cut", "Published", "Revision", "Read",
            "Third quarter of 2000", ": Trimestral (ES)", "September 30, 2000", day(), "1", "Web page", ": Trimestral, third quarter of 2000 (ES)",
        ])  # fmt: skip

    def test_the_index_in_spanish(self, site: Path) -> None:
        assert words(site / "es" / "index.html") == "\n".join([
            "Un estudio", "Its pilot", "Informes más recientes",
            "Trimestral, tercer trimestre de 2000", "Corte de datos: 30 de septiembre de 2000", "Leer:",
            "Página web", ": Trimestral, tercer trimestre de 2000",
            "Todos los informes, del más reciente al más antiguo",
            "Trimestral", "Período", "Corte de datos", "Publicado", "Revisión", "Leer",
            "Tercer trimestre de 2000", ": Trimestral", "30 de septiembre de 2000", day("es"), "1",
            "Página web", ": Trimestral, tercer trimestre de 2000",
            "Trimestral", "EN", "Período", "Corte de datos", "Publicado", "Revisión", "Leer",
            "Tercer trimestre de 2000", ": Trimestral (EN)", "30 de septiembre de 2000", day("es"), "2",
            "Página web", ": Trimestral, tercer trimestre de 2000 (EN)",
            "Segundo trimestre de 2000", ": Trimestral (EN)", "30 de junio de 2000", "Retirado: 6 de mayo de 2001. Counted <twice>.",
            "Primer trimestre de 2000", ": Trimestral (EN)", "31 de marzo de 2000", day("es"), "1",
            "Página web", ": Trimestral, primer trimestre de 2000 (EN)",
        ])  # fmt: skip

    def test_a_revised_and_approved_release(self, site: Path, study: Study) -> None:
        release = study.folder / "reports/tiny/quarterly/2000Q3"
        manifest = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
        sha256 = hashlib.sha256((release / "manifest.json").read_bytes()).hexdigest()
        assert words(site / "quarterly/2000Q3/index.html") == "\n".join([
            "Quarterly, third quarter of 2000",
            "Data cut", "September 30, 2000 (later records are not used)", "Published", day(), "Revision", "2",
            "Read the report", "Web page", ", Revision 2",
            "Earlier:", "second quarter of 2000",
            "What changed in revision 2, and why", "A late file came.",
            "What went into it that was not in revision 1:", "parameter horizon_days changed from 364 to 182",
            "Published numbers that differ now:", "Steps & shares: 2",
            "What", "Group", "Column", "Before", "Now",
            "Steps & shares",
            "Engaged", "A", "Number", "12", "15",
            "Engaged", "A", "Estimate", "0.4", "0.5",
            "Numbers and figures",
            "The numbers of each figure and table, as they passed disclosure control, with a dictionary.",
            "Dictionary of the columns", "Data package (all files described)",
            "Figure or table", "File",
            "At a glance", "CSV", ": At a glance",
            "The drawing", "CSV", ": The drawing", "SVG", ": The drawing",
            "Steps & shares", "CSV", ": Steps & shares",
            "Leaving", "CSV", ": Leaving",
            "Approval", "Approved by Ann & Bo on May 6, 2001: Looked at.",
            "Check a file yourself",
            "When this site was made, each file was held to the manifest, and the manifest to the ledger of what was "
            "published.",
            "Each file has a digest. If you save a file and your computer gives the same digest for it, it is the file "
            "that was published:",
            "sha256sum report.html certutil -hashfile report.html SHA256",
            "File", "SHA-256", "report.html", manifest["outputs"]["report.html"]["sha256"], "manifest.json", sha256,
            "All digests of this revision in one file", "Manifest: all that went in and came out",
            "How to cite",
            f"Doe, Jo (2000). Quarterly, p. A study of <b>two</b> & more. Revision 2, SHA-256 {manifest['key'][:16]}.",
            "License: CC-BY-4.0",
            "Earlier revisions", f"Revision 1 ({day()})", "Web page", ", Revision 1",
            "All digests of this revision in one file", ": Revision 1",
        ])  # fmt: skip

    def test_a_withdrawn_release_leaves_a_stone(self, site: Path) -> None:
        assert words(site / "quarterly/2000Q2/index.html") == "\n".join([
            "Quarterly, second quarter of 2000", "There is no report for this period now.",
            "Revision 1: Withdrawn, May 6, 2001.", "Counted <twice>.",
            "Earlier:", "first quarter of 2000", "Newer:", "third quarter of 2000",
        ])  # fmt: skip
        assert [f.name for f in (site / "quarterly/2000Q2").iterdir()] == ["index.html"]
        assert "Counted &lt;twice&gt;." in (site / "quarterly/2000Q2/index.html").read_text(encoding="utf-8")

    def test_headlines_stand_whole_and_do_not_scroll_in_a_box(self, site: Path) -> None:
        page = (site / "indicators.html").read_text(encoding="utf-8")
        boxes = re.findall(r'<div class="table-wrap( tall)?"', page[page.index('id="headlines"') :])
        assert boxes[0] == ""
        assert set(boxes[1:]) <= {" tall"}

    def test_a_table_of_numbers_is_named_to_those_who_hear_it(self, site: Path) -> None:
        page = (site / "indicators.html").read_text(encoding="utf-8")
        assert re.findall(r'role="region" tabindex="0" aria-label="([^"]*)"', page) == [
            "Numbers: Headline indicators: Quarterly",
            "Numbers: Steps &amp; shares",
        ]

    def test_numbers_over_the_releases(self, site: Path) -> None:
        found = words(site / "indicators.html")
        assert found[found.index("Headline indicators") :] == "\n".join([
            "Headline indicators", "Quarterly", "What", "Group", "2000Q3", "2000Q2", "2000Q1",
            "People referred", "A", "1,060", "–", "24",
            "Engaged", "A", "50% (33% to 67%)", "of 30", "–", "50% (30% to 70%)", "of 20",
            "Engaged, difference between the groups", "A - B", "−48 points (−60 to −31)", "–", "–",
            "Contents", "Quarterly", "Steps & shares", "Engaged", "Quarterly",
            "Steps & shares", "What", "Group", "2000Q3", "2000Q2", "2000Q1",
            "Engaged", "A", "50% (33% to 67%)", "15 of 30", "–", "50% (30% to 70%)", "10 of 20",
            "B", "98% (90% to 100%)", "49 of 50", "–", "not shown",
        ])  # fmt: skip

    def test_a_report_of_the_other_language_is_followed_on_its_own_page(self, site: Path) -> None:
        found = words(site / "es" / "indicators.html")
        assert found[found.index("Contenido") :] == "\n".join([
            "Contenido", "Trimestral", "Trimestral", "Hasta ahora hay una sola publicación, así que todavía no hay nada que seguir.",
        ])  # fmt: skip

    def test_methods_and_protection_name_no_number(self, site: Path) -> None:
        for page in (site / "methods.html", site / "es/methods.html"):
            without = re.sub(r"Quarterly, .*|Trimestral, .*|CC-BY-4.0", "", words(page))
            assert re.findall(r"\d", without) == []
        assert "Counts of a few people are not published" in words(site / "methods.html")
        assert "No se publican conteos de pocas personas" in words(site / "es/methods.html")


def test_the_focus_arm_has_its_colour_even_where_the_other_comes_first(tmp_path: Path) -> None:
    study = world(tmp_path)
    lines = [
        "B,first,First,50,49,0.98,0.9,1",
        "A,engaged,Engaged,30,15,0.5,0.33,0.67",
        "B,engaged,Engaged,50,49,0.98,0.9,1",
    ]
    publish(study, "2000Q4", "quarterly", contents=contents(lines), **facts(study))
    writer = Writer(gather(study, tmp_path / "reports"), Reader.of("en", {}), "")
    (question,) = [q for q in questions(writer.published.reports["quarterly"]) if q.label == "tbl-funnel"]
    assert [row.group for row in question.rows] == ["B", "A", "B"]
    assert writer._groups(question) == ["A", "B"]


class TestWhatIsInIt:
    def test_releases_are_there_byte_for_byte(self, site: Path, study: Study) -> None:
        reports = study.folder / "reports/tiny"
        for source, copy in [
            ("quarterly/2000Q1", "quarterly/2000Q1/r1"), ("quarterly/2000Q3", "quarterly/2000Q3/r2"),
            ("quarterly/2000Q3.r1", "quarterly/2000Q3/r1"), ("quarterly-es/2000Q3", "quarterly-es/2000Q3/r1"),
        ]:  # fmt: skip
            there = {f.relative_to(site / copy): f.read_bytes() for f in (site / copy).rglob("*") if f.is_file()}
            then = {
                f.relative_to(reports / source): f.read_bytes() for f in (reports / source).rglob("*") if f.is_file()
            }
            assert there == then

    def test_digests_can_be_checked_by_a_common_tool(self, site: Path) -> None:
        done = subprocess.run(
            ["sha256sum", "--check", "--strict", "checksums-r2.txt"], cwd=site / "quarterly/2000Q3", capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout.count(": OK"), done.stderr) == (0, 9, "")

    def test_nothing_private_is_in_it(self, site: Path, study: Study) -> None:
        private = study.folder / ".evalkit/tiny"
        ledger = next((private / "ledger").iterdir())
        secrets = [(private / "secret").read_bytes(), (ledger / "key").read_bytes()]
        strings = [ledger.name, str(study.folder), "participants.csv", "QX7", ".evalkit", "withdrawals.jsonl"]
        strings += [s.hex() for s in secrets]
        for file in site.rglob("*"):
            content = file.read_bytes() if file.is_file() else b""
            found = [s for s in [*secrets, *(s.encode() for s in strings)] if s in content or s in file.name.encode()]
            assert found == [], file

    def test_the_same_releases_give_the_same_bytes(self, site: Path, study: Study, tmp_path: Path) -> None:
        # In another process, where nothing is kept of the first, and in another zone and order of hashing.
        code = (
            "import sys; from pathlib import Path; from evalkit.protocol import load_study;"
            "from evalkit.site import build_site; build_site(load_study(Path(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3]))"
        )
        arguments = [str(study.path), str(study.folder / "reports"), str(tmp_path / "again")]
        environment = {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7", "LC_ALL": "C", "HOME": str(tmp_path)}
        subprocess.run([sys.executable, "-c", code, *arguments], check=True, env=environment, timeout=580)
        assert _bytes(tmp_path / "again") == _bytes(site)

    def test_the_site_names_its_files(self, site: Path) -> None:
        about = json.loads((site / "evalkit-site.json").read_text(encoding="utf-8"))
        assert (about["site"], about["study"]) == (1, "tiny")
        there = {n: hashlib.sha256(c).hexdigest() for n, c in _bytes(site).items() if n != "evalkit-site.json"}
        assert about["files"] == there
        assert {f.stat().st_mode & 0o777 for f in site.rglob("*")} == {0o755, 0o644}


def _bytes(folder: Path) -> dict[str, bytes]:
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


class _Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.tags.add(tag)
        self.ids += [told["id"]] if told.get("id") else []
        self.links += [told["href"]] if told.get("href") else []
        self.loads += [told["src"]] if told.get("src") else []
        assert not [name for name in told if name.startswith("on") or name == "style"]


def _pages(site: Path) -> Iterator[tuple[Path, _Links]]:
    for page in sorted(site.rglob("*.html")):
        if page.name != "report.html":
            yield page, _Links(page.read_text(encoding="utf-8"))


class TestItStandsByItself:
    def test_every_link_leads_somewhere_in_the_site(self, site: Path) -> None:
        pages = list(_pages(site))
        assert len(pages) == 14
        ids = {page.resolve(): set(found.ids) for page, found in pages}
        for page, found in pages:
            assert len(found.ids) == len(set(found.ids)), page
            for link in [*found.links, *found.loads]:
                address, _, fragment = unquote(link).partition("#")
                target = (page.parent / address).resolve() if address else page.resolve()
                assert target.is_file(), (page, link)
                assert target.is_relative_to(site.resolve()), (page, link)
                assert not fragment or fragment in ids[target], (page, link)

    def test_no_page_can_run_or_load_anything_else(self, site: Path) -> None:
        for page, found in _pages(site):
            text = page.read_text(encoding="utf-8")
            assert POLICY.search(html.unescape(text)), page
            assert not {"script", "iframe", "object", "embed", "form", "base"} & found.tags

    def test_everything_can_be_reached_from_the_index(self, site: Path) -> None:
        pages = {page.resolve(): found for page, found in _pages(site)}
        seen, todo = set(), [(site / "index.html").resolve()]
        while todo:
            page = todo.pop()
            seen.add(page)
            for link in pages[page].links if page in pages else []:
                target = (page.parent / unquote(link).partition("#")[0]).resolve()
                todo += [target] if target not in seen and target != page else []
        unlinked = {f.relative_to(site).as_posix() for f in site.rglob("*") if f.is_file() and f.resolve() not in seen}
        images = {f"indicators/quarterly-tbl-{name}.svg" for name in ("funnel", "page")}
        earlier = {n for n in unlinked if n.startswith("quarterly/2000Q3/r1/")}  # of these the page links the report
        assert unlinked - images - earlier == {"evalkit-site.json"}

    @pytest.mark.parametrize("language", ["", "es/"])
    def test_the_feed(self, site: Path, language: str) -> None:
        space = {"a": "http://www.w3.org/2005/Atom"}
        root = ET.parse(site / language / "feed.xml").getroot()  # noqa: S314 - our own file
        entries = root.findall("a:entry", space)
        updated = [entry.findtext("a:updated", namespaces=space) for entry in entries]
        assert updated == sorted(updated, reverse=True)
        assert root.findtext("a:updated", namespaces=space) == updated[0]
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment) for moment in updated)
        ids = [entry.findtext("a:id", namespaces=space) for entry in entries]
        assert len(set(ids)) == 5
        assert all(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", one) for one in ids)
        stone = next(
            entry for entry in entries if entry.findtext("a:updated", namespaces=space) == "2001-05-06T07:08:09Z"
        )
        said = {"": "Quarterly, second quarter of 2000: Revision 1 was withdrawn",
                "es/": "Trimestral, segundo trimestre de 2000: la revisión 1 se retiró"}  # fmt: skip
        assert stone.findtext("a:title", namespaces=space) == said[language]
        assert stone.findtext("a:summary", namespaces=space) == "Counted <twice>."
        # Feed readers know it by this name: another one would be news to them again.
        name = uuid.uuid5(uuid.NAMESPACE_URL, "evalkit:quarterly/2000Q2 1 withdrawn").urn
        assert stone.findtext("a:id", namespaces=space) == name
        for link in root.iter("{http://www.w3.org/2005/Atom}link"):
            assert (site / language / link.get("href")).is_file()

    def test_the_feed_has_whole_addresses_where_the_site_is_known(self, study: Study, tmp_path: Path) -> None:
        build_site(study, study.folder / "reports", tmp_path / "site", "https://example.org/sub/")
        text = (tmp_path / "site/es/feed.xml").read_text(encoding="utf-8")
        assert 'rel="self" href="https://example.org/sub/es/feed.xml"' in text
        assert 'href="https://example.org/sub/es/quarterly/2000Q3/index.html"' in text


class TestItsPlace:
    def test_without_an_exchange_of_names_a_site_is_as_it_was_where_the_newer_cannot_be_moved(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        target, rename = tmp_path / "site", Path.rename

        def fails(self: Path, to: Path) -> Path:
            if self.name.startswith(".making-site-") and not self.name.endswith("-old"):
                raise OSError(errno.EIO, "Input/output error")
            return rename(self, to)

        _build.place_site({"index.html": b"old"}, target, "tiny")
        monkeypatch.setattr(_build, "exchange", lambda *_: False)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", fails)
            with pytest.raises(ReleaseError, match="the site is as it was"):
                _build.place_site({"index.html": b"new"}, target, "tiny")
        assert (target / "index.html").read_bytes() == b"old"
        assert [file.name for file in tmp_path.iterdir()] == ["site"]
        _build.place_site({"index.html": b"new"}, target, "tiny")
        assert (target / "index.html").read_bytes() == b"new"

    def test_a_newer_site_takes_the_place_of_the_older(self, tmp_path: Path) -> None:
        study = world(tmp_path)
        out = tmp_path / "deep" / "site"
        build_site(study, tmp_path / "reports", out)
        before = _bytes(out)
        publish(study, "2000Q4", "quarterly", contents=contents(["A,engaged,Engaged,20,8,0.4,0.2,0.6"]), **facts(study))
        build_site(study, tmp_path / "reports", out)
        assert set(_bytes(out)) - set(before) == {
            "quarterly/2000Q4/index.html", "es/quarterly/2000Q4/index.html", "quarterly/2000Q4/checksums-r1.txt",
            *(f"quarterly/2000Q4/r1/{n}" for n in [*contents([]), "manifest.json"]),
        }  # fmt: skip
        assert sorted(p.name for p in out.parent.iterdir()) == ["site"]

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("CNAME", "holds CNAME, which evalkit did not put there; move it away, or publish a copy of the folder"),
            (".git/config", "holds .git/config, which evalkit did not put there"),
        ],
    )
    def test_what_others_put_there_is_not_taken_away(self, study: Study, tmp_path: Path, name: str, said: str) -> None:
        build_site(study, study.folder / "reports", tmp_path / "site")
        (tmp_path / "site" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "site" / name).write_text("x", encoding="utf-8")
        with pytest.raises(UsageError, match=re.escape(said)):
            build_site(study, study.folder / "reports", tmp_path / "site")
        assert (tmp_path / "site" / name).read_text(encoding="utf-8") == "x"

    @pytest.mark.parametrize("marker", [None, "{}", "[]", '{"site": 1, "files": {}}', "x"])
    def test_a_folder_that_is_no_site_is_refused(self, study: Study, tmp_path: Path, marker: str | None) -> None:
        place = tmp_path / "site"
        place.mkdir()
        (place / "thesis.txt").write_text("x", encoding="utf-8")
        if marker is not None:
            (place / "evalkit-site.json").write_text(marker, encoding="utf-8")
        with pytest.raises(UsageError, match="holds files and is no site of evalkit; name an empty or a new folder"):
            build_site(study, study.folder / "reports", place)
        assert (place / "thesis.txt").is_file()

    def test_another_studys_site_a_link_and_a_file_are_refused(self, study: Study, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        other = {"site": 1, "study": "other", "files": {}}
        (tmp_path / "other" / "evalkit-site.json").write_text(json.dumps(other), encoding="utf-8")
        (tmp_path / "link").symlink_to(tmp_path / "other")
        (tmp_path / "file").write_text("x", encoding="utf-8")
        for name, said in [("other", "is the site of study 'other', not of 'tiny'"), ("link", "is no folder"), ("file", "is no folder")]:  # fmt: skip
            with pytest.raises(UsageError, match=said):
                build_site(study, study.folder / "reports", tmp_path / name)

    @pytest.mark.parametrize("inside", ["reports/site", "reports", ".evalkit/tiny/site"])
    def test_a_site_does_not_lie_among_releases_or_private_files(self, study: Study, inside: str) -> None:
        with pytest.raises(UsageError, match="where a site does not belong"):
            build_site(study, study.folder / "reports", study.folder / inside)

    def test_an_empty_folder_becomes_a_site(self, study: Study, tmp_path: Path) -> None:
        (tmp_path / "site").mkdir()
        assert build_site(study, study.folder / "reports", tmp_path / "site").releases == 4


class TestWhatItIsMadeOf:
    def test_nothing_published_is_no_site(self, study: Study, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="nothing is published there; name the reports folder with --reports"):
            build_site(study, tmp_path / "none", tmp_path / "site")
        assert not (tmp_path / "site").exists()

    def test_a_changed_file_stops_the_site_and_leaves_the_old_one(self, tmp_path: Path) -> None:
        study = world(tmp_path)
        build_site(study, tmp_path / "reports", tmp_path / "site")
        before = _bytes(tmp_path / "site")
        (tmp_path / "reports/tiny/quarterly/2000Q1/report.html").write_text("other", encoding="utf-8")
        with pytest.raises(
            VerificationError, match=r"2000Q1: is not what was published, so no site was made: report.html"
        ):
            build_site(study, tmp_path / "reports", tmp_path / "site")
        assert _bytes(tmp_path / "site") == before

    def test_a_release_that_was_taken_away_without_a_word_leaves_a_stone(self, tmp_path: Path) -> None:
        study = world(tmp_path)
        shutil.rmtree(tmp_path / "reports/tiny/quarterly/2000Q1")
        assert build_site(study, tmp_path / "reports", tmp_path / "site").withdrawn == 2
        assert "Published, and not kept here any more; when and why was not written down." in words(
            tmp_path / "site/quarterly/2000Q1/index.html"
        )

    def test_without_the_private_folder_it_says_what_was_not_checked(self, tmp_path: Path) -> None:
        study = world(tmp_path)
        shutil.rmtree(tmp_path / ".evalkit")
        assert build_site(study, tmp_path / "reports", tmp_path / "site").withdrawn == 1
        found = words(tmp_path / "site/quarterly/2000Q1/index.html")
        assert "The ledger of what was published was not at hand." in found
        assert "Published\nnot recorded" in found
        assert not (tmp_path / ".evalkit").exists()

    def test_a_withdrawn_newest_revision_does_not_put_the_older_in_its_place(self, tmp_path: Path) -> None:
        study = world(tmp_path)
        withdraw(tmp_path / "reports/tiny/quarterly/2000Q3", study, "Wrong again.", WHEN)
        build_site(study, tmp_path / "reports", tmp_path / "site")
        found = words(tmp_path / "site/quarterly/2000Q3/index.html")
        assert found.startswith(
            "Quarterly, third quarter of 2000\nThere is no report for this period now.\n"
            "Revision 2: Withdrawn, May 6, 2001.\nWrong again.\nEarlier:"
        )
        assert f"Earlier revisions\nRevision 1 ({day()})\nWeb page\n, Revision 1" in found
        assert "2000Q3" not in words(tmp_path / "site/indicators.html")

    def test_the_report_of_the_latest_cut_stands_first_among_the_newest(self, tmp_path: Path) -> None:
        study = world(tmp_path)
        publish(study, "2000Q1", "brief", contents=contents([]), **facts(study, "Brief", cut="2000-03-31"))
        publish(study, "2000Q4", "final", contents=contents([]), **facts(study, "Final", cut="2000-12-31"))
        build_site(study, tmp_path / "reports", tmp_path / "site")
        newest, _, _ = words(tmp_path / "site/index.html").partition("All reports, newest first")
        assert re.findall(r"^(Brief|Final|Quarterly),", newest, re.MULTILINE) == ["Final", "Quarterly", "Brief"]

    def test_earlier_revisions_stand_newest_first_whether_withdrawn_or_kept(self, tmp_path: Path) -> None:
        study = world(tmp_path)
        current = publish(study, "2000Q3", "quarterly", contents=contents([]), **facts(study))
        withdraw(kept(current, 2), study, "Wrong again.", WHEN)
        build_site(study, tmp_path / "reports", tmp_path / "site")
        _, _, earlier = words(tmp_path / "site/quarterly/2000Q3/index.html").partition("Earlier revisions\n")
        assert earlier == "\n".join([
            "Revision 2: Withdrawn, May 6, 2001.", "Wrong again.",
            f"Revision 1 ({day()})", "Web page", ", Revision 1",
            "All digests of this revision in one file", ": Revision 1",
        ])  # fmt: skip

    def test_a_release_of_no_numbers_has_its_page_and_nothing_to_follow(self, tmp_path: Path) -> None:
        study = study_in(tmp_path)
        files = {"report.html": "<p>x</p>", CITATION: "cff-version: 1.2.0\n", CRATE: "{}\n"}
        publish(study, "2000Q1", "quarterly", contents=files, **facts(study))
        build_site(study, tmp_path / "reports", tmp_path / "site")
        page = (tmp_path / "site/quarterly/2000Q1/index.html").read_text(encoding="utf-8")
        assert re.findall(r'href="[^"]*/r1/([^"]*)">([^<]*)</a>', page) == [
            ("manifest.json", "Manifest: all that went in and came out"),
            ("CITATION.cff", "Citation (CITATION.cff)"),
            ("ro-crate-metadata.json", "Description for archives (RO-Crate)"),
        ]
        assert words(tmp_path / "site/indicators.html").endswith(
            "\nNo release with numbers is published in this language yet."
        )

    def test_a_synthetic_study_says_so_on_every_page(self, tmp_path: Path) -> None:
        study = world(tmp_path)
        publish(study, "2000Q4", "quarterly", contents=contents([]), **{**facts(study), "synthetic": True})
        build_site(study, tmp_path / "reports", tmp_path / "site")
        for page, _ in _pages(tmp_path / "site"):
            said = (
                "Un simulador generó"
                if "es" in page.relative_to(tmp_path / "site").parts
                else "Everything on this site"
            )
            assert said in page.read_text(encoding="utf-8"), page
