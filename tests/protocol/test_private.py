"""The private folder of a study: where it lies, who may open it, and what is written into it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from evalkit.errors import DisclosureError, ProtocolError
from evalkit.protocol import (
    Secret,
    Study,
    find_private_folder,
    find_secret,
    make_private,
    noise_secret,
    private_folder,
    study_secret,
    write_private,
)
from evalkit.protocol import _private as private
from evalkit.protocol._private import others_may, private_modes


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("EVALKIT_PRIVATE", "EVALKIT_HOMELESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(private.platformdirs, "user_data_dir", lambda name: str(tmp_path / "home" / name))


def study(folder: Path, **more: object) -> Study:
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "id": "tiny", "title": "T", "starts": "2000-01-01", "tables": {"participants": {"path": "p.csv"}},
        "arms": {"focus": {"value": "a", "label": "A"}, "comparison": {"value": "b", "label": "B"}}, **more,
    }  # fmt: skip
    return Study.model_validate(content).with_path(folder / "study.yaml")


def modes(*places: Path) -> list[int]:
    return [place.stat().st_mode & 0o7777 for place in places]


def test_beside_the_protocol(tmp_path: Path) -> None:
    one = study(tmp_path / "s")
    beside = tmp_path / "s" / ".evalkit" / "tiny"
    assert find_private_folder(one) is None
    assert not beside.exists()
    assert private_folder(one) == find_private_folder(one) == beside
    assert modes(beside, beside.parent) == [0o700, 0o700]
    beside.chmod(0o755), beside.parent.chmod(0o755)
    private_folder(one)
    assert modes(beside, beside.parent) == [0o700, 0o700]


def test_elsewhere_where_the_protocols_folder_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = study(tmp_path / "s"), study(tmp_path / "t")
    true = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: Path(path) not in {tmp_path / "s", tmp_path / "t"} and true(path, mode)
    )
    places = [private_folder(one), private_folder(other)]
    assert {place.parent for place in places} == {tmp_path / "home" / "evalkit"}
    assert places[0] != places[1]  # two checkouts of one study
    assert all(place.name.startswith("tiny-") and len(place.name) == 17 for place in places)
    assert modes(places[0]) == [0o700]
    assert find_private_folder(one) == places[0]
    (tmp_path / "s" / ".evalkit" / "tiny").mkdir(parents=True)  # one that is there already is used
    assert private_folder(one) == tmp_path / "s" / ".evalkit" / "tiny"


@pytest.mark.parametrize("denied", [os.R_OK, os.X_OK])
def test_a_folder_that_cannot_be_read_is_not_found(
    denied: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = study(tmp_path / "s")
    private_folder(one)
    monkeypatch.setattr(os, "access", lambda _, mode: not mode & denied)
    assert find_private_folder(one) is None


@pytest.mark.parametrize("homeless", [False, True])
def test_nowhere(homeless: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = study(tmp_path / "s")
    (tmp_path / "s" / ".evalkit").write_text("")
    (tmp_path / "home").write_text("")
    if homeless:
        monkeypatch.setenv("EVALKIT_HOMELESS", "1")
    with pytest.raises(ProtocolError) as refused:
        private_folder(one)
    elsewhere = private._places(one)[-1]
    neither = ", and there is no home to use in its place" if homeless else f", and {elsewhere} neither"
    beside = tmp_path / "s" / ".evalkit" / "tiny"
    assert str(refused.value) == f"{beside}: cannot be written{neither}; evalkit keeps the study's private files there"


@pytest.mark.parametrize(("named", "lies"), [("../kept", "kept/tiny"), ("kept", "s/kept/tiny")])
def test_the_folder_that_the_protocol_names(named: str, lies: str, tmp_path: Path) -> None:
    one = study(tmp_path / "s", private=named)
    assert find_private_folder(one) is None
    found = private_folder(one)
    assert found.resolve() == tmp_path / lies
    assert modes(found) == [0o700]
    assert find_private_folder(one) == found
    assert not (tmp_path / "s" / ".evalkit").exists()


def test_the_environment_goes_before_the_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = study(tmp_path / "s", private="../kept")
    monkeypatch.setenv("EVALKIT_PRIVATE", str(tmp_path / "server"))
    assert private_folder(one) == tmp_path / "server" / "tiny"
    monkeypatch.setenv("EVALKIT_PRIVATE", "")
    assert private_folder(one).resolve() == tmp_path / "kept" / "tiny"


@pytest.mark.parametrize(
    ("parent", "made"), [(0o700, 0o700), (0o750, 0o700), (0o760, 0o700), (0o770, 0o2770), (0o2770, 0o2770)]
)
def test_a_folder_that_a_group_shares(parent: int, made: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = tmp_path / "server"
    server.mkdir()
    server.chmod(parent)
    monkeypatch.setenv("EVALKIT_PRIVATE", str(server))
    place = private_folder(study(tmp_path / "s"))
    deep = make_private(place / "a" / "b")
    assert modes(place, place / "a", deep) == [made] * 3
    write_private(deep / "file", b"x")
    assert modes(deep / "file") == [0o660 if made == 0o2770 else 0o600]
    assert private_modes(deep) == ((0o660, 0o2770) if made == 0o2770 else (0o600, 0o700))


@pytest.mark.parametrize(("mode", "open_to_all"), [(0o770, False), (0o771, True), (0o702, True), (0o704, True)])
def test_a_folder_that_others_can_open(
    mode: int, open_to_all: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "server" / "tiny"
    place.mkdir(parents=True)
    place.chmod(mode)
    monkeypatch.setenv("EVALKIT_PRIVATE", str(tmp_path / "server"))
    if not open_to_all:
        assert private_folder(study(tmp_path / "s")) == place
        return
    with pytest.raises(ProtocolError) as refused:
        private_folder(study(tmp_path / "s"))
    assert str(refused.value) == f"{place}: everybody on this machine can open it; chmod o-rwx it"


def test_a_folder_that_this_user_cannot_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALKIT_PRIVATE", str(tmp_path / "server"))
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.R_OK | os.W_OK | os.X_OK)
    with pytest.raises(ProtocolError) as refused:
        private_folder(study(tmp_path / "s"))
    assert str(refused.value) == (
        f"{tmp_path / 'server' / 'tiny'}: cannot be written by this user; add him to its group, and chmod g+rwxs it"
    )
    monkeypatch.setenv("EVALKIT_PRIVATE", str(tmp_path / "file"))
    (tmp_path / "file").write_text("")
    with pytest.raises(
        ProtocolError,
        match=r"file/tiny: cannot be made \((Not a directory|File exists)\); EVALKIT_PRIVATE or the protocol's 'private' names it$",
    ):
        private_folder(study(tmp_path / "s"))


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    file = tmp_path / "file"
    write_private(file, b"one")
    file.chmod(0o644)
    write_private(file, b"two")
    assert (file.read_bytes(), modes(file)) == (b"two", [0o600])
    synced: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda number: synced.append(Path(f"/proc/self/fd/{number}").readlink().name))
        write_private(file, b"two")
    assert synced[0].startswith(".writing-")  # its content before its name is changed, then the name
    assert synced[1:] == [tmp_path.name]
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        write_private(file, b"three")
    assert [(f.name, f.read_bytes()) for f in tmp_path.iterdir()] == [("file", b"two")]


@pytest.mark.parametrize(
    ("mode", "they_may"), [(0o660, False), (0o604, True), (0o602, True), (0o601, True), (0o600, False)]
)
def test_what_others_may(mode: int, they_may: bool, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    file.chmod(mode)
    assert others_may(file) is they_may


def test_noise_follows_from_the_secret_of_the_study_and_of_people_made_up_from_its_protocol(tmp_path: Path) -> None:
    """By value: whoever renders an old quarter again, on any machine and in any version, gets the numbers that were told."""
    one = study(tmp_path / "s")
    nobody = noise_secret(one, synthetic=True)
    assert nobody.hex() == "5d53565229cbe0997a57a3b2d645ee40a795200af76a4f9677de21a2f6324e00"
    assert find_private_folder(one) is None
    others = [noise_secret(study(tmp_path / "t", **more), synthetic=True) for more in ({"seed": 1}, {"id": "other"})]
    assert len({nobody, *others}) == 3
    key = bytes(range(32))
    write_private(private_folder(one) / "secret", key)
    write_private(private_folder(one) / "secret.id", f"{Secret(key).id}\n".encode())
    assert noise_secret(one, synthetic=False) == bytes.fromhex(
        "8fe05057dc3ba9ccac7816da345ef997c599ed9a2d658807cefdd1921f1ddf68"
    )
    assert study_secret(one).id == "a893b0c6750a665a"


@pytest.mark.parametrize("name", ["secret", "secret.id"])
def test_one_half_of_a_secret_is_damage_and_no_absence(tmp_path: Path, name: str) -> None:
    one = study(tmp_path / "s")
    assert find_secret(one) is None
    made = study_secret(one)
    assert find_secret(one) == made
    (private_folder(one) / name).unlink()
    with pytest.raises(DisclosureError, match="is gone; put it back from any backup"):
        find_secret(one)
