"""A release described for archives: its RO-Crate, its citation, and its zip."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from evalkit.errors import ReleaseError, VerificationError
from evalkit.protocol import Citation, load_study
from evalkit.publish import archive, verify
from evalkit.publish.release._crate import cited, write_crate
from publish import made, standin

FACTS: dict[str, Any] = {
    "study": "demo", "report": "quarterly", "period": "2022Q3", "revision": 2, "data_cut": "2022-09-30", "key": "k" * 64,
    "synthetic": True, "code": {"evalkit": "0.1.0"}, "tools": {"pandoc": "3.9", "typst": "0.15"},
    "inputs": {"study": {"sha256": "e" * 64}},
    "document": {"title": "Quarterly", "study": "A study", "organisation": "A team", "period": "third quarter of 2022",
                 "cut": "September 30, 2022", "locale": "en-US"},
    "citation": Citation.model_validate({
        "authors": [{"family": "Doe", "given": "Jo", "orcid": "0000-0002-1825-0097", "affiliation": "Here"},
                    {"family": "Roe"}],
        "licence": "CC-BY-4.0", "version": "1.1", "url": "https://example.org/site/",
    }).model_dump(mode="json"),
}  # fmt: skip
PLAIN = {**FACTS, "citation": Citation().model_dump(mode="json"), "synthetic": False}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "in" / "data").mkdir(parents=True)
    made = {n: tmp_path / "in" / n for n in ("report.pdf", "data/fig-a.csv", "data/datapackage.json")}
    for name, file in made.items():
        file.write_text(name, encoding="utf-8")
    return made


def graph(facts: dict[str, Any], files: dict[str, Path], folder: Path) -> dict[str, Any]:
    crate = json.loads(write_crate(facts, files, folder)["ro-crate-metadata.json"].read_text(encoding="utf-8"))
    assert crate["@context"] == [
        "https://w3id.org/ro/crate/1.1/context",
        {"creditText": "http://schema.org/creditText", "sha256": "http://schema.org/sha256"},
    ]
    found = {entity["@id"]: entity for entity in crate["@graph"]}
    assert len(found) == len(crate["@graph"])
    return found


def test_authors_of_one_name_and_their_house_of_it_are_three(files: dict[str, Path], tmp_path: Path) -> None:
    roe = {"family": "Roe", "affiliation": "Roe"}
    citation = Citation.model_validate({"authors": [roe, roe]}).model_dump(mode="json")
    found = graph({**FACTS, "citation": citation}, files, tmp_path)
    assert [(e["@type"], e["@id"]) for e in found.values() if e.get("name") == "Roe"] == [
        ("Person", "#author-1-roe"), ("Person", "#author-2-roe"), ("Organization", "#affiliation-roe"),
    ]  # fmt: skip


def test_the_crate_says_what_a_release_is(files: dict[str, Path], tmp_path: Path) -> None:
    found = graph(FACTS, files, tmp_path)
    assert found["ro-crate-metadata.json"] == {
        "@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"},
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
    }  # fmt: skip
    parts = ["CITATION.cff", "data/datapackage.json", "data/fig-a.csv", "report.pdf", "manifest.json"]
    assert found["./"] == {
        "@id": "./", "@type": "Dataset", "name": "Quarterly, third quarter of 2022: A study",
        "description": "Data cut September 30, 2022. Synthetic data: no real person is described. Dates in this file "
                       "are the data cut: a release comes out again byte by byte on any day.",
        "identifier": "demo/quarterly/2022Q3/r2", "version": "2", "datePublished": "2022-09-30", "inLanguage": "en-US",
        "license": {"@id": "https://spdx.org/licenses/CC-BY-4.0"},
        "author": [{"@id": "https://orcid.org/0000-0002-1825-0097"}, {"@id": "#author-2-roe"}],
        "publisher": {"@id": "#organisation"},
        "creditText": "Doe, Jo; Roe (2022). Quarterly, third quarter of 2022. A study. Revision 2, SHA-256 "
                      "kkkkkkkkkkkkkkkk. https://example.org/site/",
        "hasPart": [{"@id": name} for name in parts], "mentions": {"@id": "#made"}, "url": "https://example.org/site/",
    }  # fmt: skip
    assert found["data/fig-a.csv"] == {
        "@id": "data/fig-a.csv", "@type": "File", "name": "Numbers of a figure or table (CSV): fig-a",
        "encodingFormat": "text/csv", "contentSize": "14", "sha256": hashlib.sha256(b"data/fig-a.csv").hexdigest(),
    }  # fmt: skip
    assert found["https://orcid.org/0000-0002-1825-0097"] == {
        "@id": "https://orcid.org/0000-0002-1825-0097", "@type": "Person", "name": "Jo Doe", "familyName": "Doe",
        "givenName": "Jo", "affiliation": {"@id": "#affiliation-here"},
    }  # fmt: skip
    assert found["#affiliation-here"] == {"@id": "#affiliation-here", "@type": "Organization", "name": "Here"}
    assert found["#protocol"]["version"] == "1.1"
    assert [found[f"#{n}"]["version"] for n in ("evalkit", "pandoc", "typst")] == ["0.1.0", "3.9", "0.15"]
    assert found["#made"]["instrument"] == [{"@id": "#evalkit"}, {"@id": "#pandoc"}, {"@id": "#typst"}]
    assert set(parts) <= set(found)


# Of those that we use, the terms that the context of RO-Crate 1.1 (https://w3id.org/ro/crate/1.1/context) defines.
IN_ITS_CONTEXT = {
    "@id", "@type", "about", "affiliation", "author", "conformsTo", "contentSize", "dateCreated", "datePublished",
    "description", "encodingFormat", "familyName", "givenName", "hasPart", "identifier", "inLanguage", "instrument",
    "license", "mentions", "name", "object", "publisher", "result", "url", "version",
}  # fmt: skip


@pytest.mark.parametrize(
    "facts", [FACTS, PLAIN, {**FACTS, "protocol": {"version": "v2", "day": "2022-01-03", "sha256": "f"}}]
)
def test_every_term_of_the_crate_is_defined_by_its_context(
    facts: dict[str, Any], files: dict[str, Path], tmp_path: Path
) -> None:
    crate = json.loads(write_crate(facts, files, tmp_path)["ro-crate-metadata.json"].read_text(encoding="utf-8"))
    own = {term for part in crate["@context"] if isinstance(part, dict) for term in part}
    assert {term for entity in crate["@graph"] for term in entity} <= IN_ITS_CONTEXT | own


def test_every_reference_in_the_crate_leads_somewhere(files: dict[str, Path], tmp_path: Path) -> None:
    for facts in (FACTS, PLAIN):
        found = graph(facts, files, tmp_path)
        named = [
            value for entity in found.values() for v in entity.values() for value in (v if isinstance(v, list) else [v])
        ]
        ids = {value["@id"] for value in named if isinstance(value, dict)} - {"https://w3id.org/ro/crate/1.1"}
        assert ids <= set(found)


def test_without_authors_and_licence_the_organisation_answers_and_nothing_is_given_away(
    files: dict[str, Path], tmp_path: Path
) -> None:
    found = graph(PLAIN, files, tmp_path)
    assert found["./"]["author"] == {"@id": "#organisation"}
    assert found["#organisation"] == {"@id": "#organisation", "@type": "Organization", "name": "A team"}
    assert found["#licence"]["name"] == "No license is named: all rights are kept."
    assert found["#protocol"]["version"] == "e" * 16
    assert (
        cited(PLAIN)
        == "A team (2022). Quarterly, third quarter of 2022. A study. Revision 2, SHA-256 kkkkkkkkkkkkkkkk."
    )


def test_the_library_that_others_read_crates_with_reads_this_one(files: dict[str, Path], tmp_path: Path) -> None:
    from rocrate.rocrate import ROCrate

    folder = tmp_path / "in"
    write_crate(FACTS, files, folder)
    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    crate = ROCrate(folder)
    assert (crate.name, crate.license.id, str(crate.datePublished)[:10]) == (
        "Quarterly, third quarter of 2022: A study", "https://spdx.org/licenses/CC-BY-4.0", "2022-09-30",
    )  # fmt: skip
    assert sorted(part.id for part in crate.root_dataset["hasPart"]) == sorted(
        [*files, "CITATION.cff", "manifest.json"]
    )
    assert [author["name"] for author in crate.root_dataset["author"]] == ["Jo Doe", "Roe"]
    assert all((folder / file.id).is_file() for file in crate.data_entities)


def test_a_frozen_protocol_is_named_with_its_version_day_and_digest(files: dict[str, Path], tmp_path: Path) -> None:
    facts = {**FACTS, "protocol": {"version": "v2", "day": "2022-01-03", "sha256": "f" * 64}}
    assert graph(facts, files, tmp_path)["#protocol"] == {
        "@id": "#protocol", "@type": "CreativeWork", "name": "Protocol of demo", "version": "v2",
        "dateCreated": "2022-01-03", "identifier": f"sha256:{'f' * 64}",
    }  # fmt: skip
    (named,) = yaml.safe_load((tmp_path / "CITATION.cff").read_text(encoding="utf-8"))["references"]
    assert (named["title"], named["version"], named["date-released"]) == ("Protocol of demo", "v2", "2022-01-03")
    assert (named["notes"], named["authors"][1]) == (f"SHA-256 {'f' * 64}", {"family-names": "Roe"})


def test_the_citation_file(files: dict[str, Path], tmp_path: Path) -> None:
    text = write_crate(FACTS, files, tmp_path)["CITATION.cff"].read_text(encoding="utf-8")
    assert text == (
        "cff-version: 1.2.0\nmessage: If you use this release, please cite it as below.\ntype: dataset\n"
        "title: 'Quarterly, third quarter of 2022: A study'\nversion: '2'\ndate-released: '2022-09-30'\nauthors:\n"
        "- family-names: Doe\n  given-names: Jo\n  affiliation: Here\n  orcid: https://orcid.org/0000-0002-1825-0097\n"
        "- family-names: Roe\nlicense: CC-BY-4.0\nurl: https://example.org/site/\n"
    )
    plain = yaml.safe_load(write_crate(PLAIN, files, tmp_path)["CITATION.cff"].read_text(encoding="utf-8"))
    assert (plain["authors"], "license" in plain, "url" in plain) == ([{"name": "A team"}], False, False)


def test_a_rendered_release_holds_both_and_comes_out_again(tmp_path: Path) -> None:
    file = standin.write_world(tmp_path)
    command, env = standin.command(tmp_path), standin.environment(tmp_path)
    subprocess.run(command, check=True, env=env, timeout=580, capture_output=True)
    release = tmp_path / "reports/tiny/tiny/2000Q4"
    manifest = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    assert {"CITATION.cff", "ro-crate-metadata.json"} <= set(manifest["outputs"])
    assert manifest["document"] == {
        "title": "Test report", "subtitle": "", "study": "A study", "organisation": "A team",
        "period": "fourth quarter of 2000", "cut": "December 31, 2000", "locale": "en-US",
    }  # fmt: skip
    crate = json.loads((release / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    listed = {e["@id"]: e.get("sha256") for e in crate["@graph"] if e["@type"] == "File"}
    there = {
        f.relative_to(release).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest()
        for f in release.rglob("*")
        if f.is_file()
    }
    assert set(there) - set(listed) == {"ro-crate-metadata.json"}
    assert {n: s for n, s in listed.items() if s} == {
        n: s for n, s in there.items() if n in listed and n != "manifest.json"
    }
    again = [*command[:3], "verify", str(release), "--study", str(file)]
    done = subprocess.run(again, env=env, timeout=580, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "") or "ok: made again, every file has the same bytes" in done.stdout
    assert "made again, every file has the same bytes as when it was published" in done.stdout


class TestArchive:
    def test_the_same_bytes_each_time_and_only_what_was_published(self, tmp_path: Path) -> None:
        study = made.study_in(tmp_path)
        release = made.publish(study)
        (release.parent / "2000Q4.approvals.jsonl").unlink(missing_ok=True)
        one, other = archive(release, tmp_path / "a", study), archive(release, tmp_path / "b" / "c")
        assert (one.name, one.read_bytes()) == ("tiny-tiny-2000Q4-r1.zip", other.read_bytes())
        with zipfile.ZipFile(one) as packed:
            assert packed.testzip() is None
            # System 3 is Unix: of any other one nobody reads the permissions.
            assert [(i.filename, i.date_time, i.create_system, i.external_attr) for i in packed.infolist()] == [
                (name, (1980, 1, 1, 0, 0, 0), 3, 0o100644 << 16)
                for name in ("data/one.csv", "manifest.json", "report.html")
            ]
            packed.extractall(tmp_path / "out")
        assert made.digest(tmp_path / "out" / "manifest.json") == made.digest(release / "manifest.json")
        assert archive(release, tmp_path / "a", study) == one  # again: the same file
        assert [f.name for f in (tmp_path / "a").iterdir()] == [one.name]

    def test_a_signature_goes_with_it(self, tmp_path: Path) -> None:
        from evalkit.protocol import private_folder
        from evalkit.publish import new_key

        study = made.study_in(tmp_path)
        private = private_folder(study)
        new_key(private / "signing-key.pem", private / "signing-key.pub")
        with zipfile.ZipFile(archive(made.publish(study), tmp_path / "a", study)) as packed:
            assert "manifest.sig" in packed.namelist()

    def test_what_is_not_what_was_published_is_not_archived(self, tmp_path: Path) -> None:
        study = made.study_in(tmp_path)
        release = made.publish(study)
        (release / "notes.txt").write_text("private", encoding="utf-8")
        with pytest.raises(VerificationError, match=r"is not what was published: notes.txt was not published"):
            archive(release, tmp_path / "a", study)
        assert not (tmp_path / "a").exists()

    def test_another_file_of_that_name_stays(self, tmp_path: Path) -> None:
        study = made.study_in(tmp_path)
        release = made.publish(study)
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "tiny-tiny-2000Q4-r1.zip").write_text("mine", encoding="utf-8")
        with pytest.raises(ReleaseError) as refused:
            archive(release, tmp_path / "a", study)
        there = tmp_path / "a" / "tiny-tiny-2000Q4-r1.zip"
        assert str(refused.value) == f"{there}: is another file; move it away, or name another folder with --out"
        with pytest.raises(ReleaseError) as refused:  # a file is no folder
            archive(release, there, study)
        assert str(refused.value) == f"{there / there.name}: cannot be written (File exists)"
        assert [f.read_text(encoding="utf-8") for f in (tmp_path / "a").iterdir()] == ["mine"]


def test_the_protocol_says_how_releases_are_cited(tmp_path: Path) -> None:
    file = standin.write_world(tmp_path)
    assert load_study(file).citation == Citation()
    for line, wrong in [
        ("citation: {licence: all rights}", "licence"), ("citation: {url: 'javascript:x'}", "url"),
        ("citation: {authors: [{family: A, orcid: 1234}]}", "orcid"), ("citation: {license: MIT}", "licence"),
    ]:  # fmt: skip
        file.write_text(standin.STUDY + line + "\n", encoding="utf-8")
        with pytest.raises(Exception, match=wrong):
            load_study(file)
    assert verify
