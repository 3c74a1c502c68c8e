"""``evalkit site``, ``archive`` and ``withdraw`` as somebody types them: what they say, and with which code they end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import DataError
from evalkit.intake import open_data
from evalkit.protocol import load_study
from release_site.published import world


@pytest.fixture
def called(called: Any, tmp_path: Path) -> Any:
    """The command line in a folder with releases of a study."""
    world(tmp_path)
    return lambda *arguments: called(*arguments, "--study", "study.yaml")


def test_site(called: Any, tmp_path: Path) -> None:
    said = f"{tmp_path / 'out' / 'index.html'}: 4 releases, 1 withdrawn\n"
    assert called("site", "--out", "out") == (0, said, "")
    assert called("site", "--out", "out", "--url", "https://example.org") == (0, said, "")
    code, _, err = called("site", "--out", "out", "--url", "example.org")
    assert (code, err) == (2, "evalkit: --url example.org: is no address of a site; write it as https://...\n")
    code, _, err = called("site", "--out", "reports/site")
    assert (code, "where a site does not belong" in err) == (2, True)
    (tmp_path / "reports/tiny/quarterly/2000Q1/report.html").write_text("x", encoding="utf-8")
    code, out, err = called("site", "--out", "out")
    assert (code, out, err.count("\n"), "report.html is not what was published" in err) == (12, "", 1, True)


def test_archive(called: Any, tmp_path: Path) -> None:
    said = "archives/tiny-quarterly-2000Q3-r2.zip (of before releases held an RO-Crate)\n"
    assert called("archive", "reports/tiny/quarterly/2000Q3") == (0, said, "")
    assert (tmp_path / "archives/tiny-quarterly-2000Q3-r2.zip").is_file()
    code, out, err = called("archive", "reports")
    assert (code, out, "name the folder of a release" in err) == (10, "", True)


def test_withdraw(called: Any, tmp_path: Path) -> None:
    code, out, err = called("withdraw", "reports/tiny/quarterly/2000Q1", " Wrong\n as it is. ")
    assert (code, err) == (0, "")
    assert out.startswith("tiny/quarterly/2000Q1, revision 1: withdrawn on ")
    assert out.endswith("Z: Wrong as it is.\n")
    assert not (tmp_path / "reports/tiny/quarterly/2000Q1").exists()
    code, out, err = called("withdraw", "reports/tiny/quarterly/2000Q3", "...")
    assert (code, err) == (2, "evalkit: why: write why, in a few words; the reason is published\n")
    code, out, err = called("withdraw", "reports/tiny/quarterly/2000Q3", "")
    assert (code, err) == (2, "evalkit: why: write why, in a few words; the reason is published\n")
    assert (tmp_path / "reports/tiny/quarterly/2000Q3").is_dir()


@pytest.mark.parametrize("text", ["Wrong for qx71_ab.", "QX71_AB"])
def test_what_is_published_of_a_withdrawal_or_an_approval_names_nobody(called: Any, tmp_path: Path, text: str) -> None:
    table = tmp_path / "participants.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("QX71,", "QX71_AB,"), encoding="utf-8")
    release = "reports/tiny/quarterly/2000Q1"
    before = sorted(p for p in tmp_path.rglob("*") if p.is_file())
    said = "holds a participant's identifier; it is published, so say it without"
    for option, arguments in (
        ("why", ("withdraw", release, text)),
        ("--reason", ("approve", release, "--name", "Ann", "--reason", text)),
        ("--name", ("approve", release, "--name", text, "--reason", "fine")),
    ):
        assert called(*arguments) == (6, "", f"evalkit: {option}: {said}\n")
    assert sorted(p for p in tmp_path.rglob("*") if p.is_file()) == before
    whole = table.read_text(encoding="utf-8")
    table.write_text(whole + whole.splitlines()[1].replace("2000-", "2000/") + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="unreadable_date"):  # a wrong release can be taken away all the same
        open_data(load_study(tmp_path / "study.yaml"))
    assert called("withdraw", "reports/tiny/quarterly/2000Q3", "Wrong.")[0] == 0
    assert called("withdraw", release, text)[0] == 6
    table.unlink()
    code, out, err = called("withdraw", release, "Wrong.")
    assert (code, out, err.count("\n")) == (4, "", 1)
    assert "searched for identifiers, and without the tables it cannot be; without a reason the release can be" in err
    assert (tmp_path / release).is_dir()
    assert called("approve", release, "--name", "Ann", "--reason", "fine")[2].endswith(
        "without the tables it cannot be\n"
    )
    code, out, err = called("withdraw", release)  # nothing is published that would have to be searched
    assert (code, err, out.endswith("Z: The reason is not published.\n")) == (0, "", True)
    assert not (tmp_path / release).exists()
    assert called("site", "--out", "out")[0] == 0
    for page, said in (("", "The reason is not published."), ("es", "El motivo no se publica.")):
        assert said in (tmp_path / "out" / page / "quarterly/2000Q1/index.html").read_text(encoding="utf-8")
        assert said in (tmp_path / "out" / page / "feed.xml").read_text(encoding="utf-8")
