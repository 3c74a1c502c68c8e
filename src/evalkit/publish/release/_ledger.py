"""The ledger: which releases of a study were published, in which order, with the digests of their manifests.

It lies in the study's private folder, never with the releases. It holds no count and nobody's code: the noise of the
counts needs no memory, as the same people give the same number for ever.

Damage must never be read as absence: what the ledger does not say was published could be published again as another
thing. So an index, itself sealed with the key, names every entry with its digest, and each opening of the
ledger holds all of it to the index.
"""

from __future__ import annotations

__all__ = ["ANOTHER", "INDEX", "KEY", "Index", "Ledger", "checked_key", "entry_from", "entry_to", "index_of"]

import contextlib
import dataclasses
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evalkit.errors import DisclosureError
from evalkit.protocol import make_private, read_key, write_private

INDEX, KEY = "index.json", "key"
ANOTHER = "or begin another with --new-ledger 'why'"


_MARK = ".ledger"
_PENDING = "pending.json"


@dataclass(frozen=True)
class Ledger:
    """The ledger of the releases in one reports folder of a study."""

    folder: Path  # private
    mark: Path  # among the releases; names the ledger, and is written with the first of them
    fresh: Index | None = None  # what the index will say, while nothing was published there
    _new_key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False, compare=False)

    @classmethod
    def of(cls, private: Path, releases: Path) -> Ledger:
        """Return the ledger of a folder of releases (``<out>/<study>``), whole; where there is none, one to `begin`.

        A small file among the releases names their ledger, so that they may be moved. `DisclosureError` if anything is
        damaged or gone, or it would be a second one: releases of this study are remembered here, and lie elsewhere.
        """
        mark = releases / _MARK
        found = cls.known(private, releases)
        if found is None and mark.is_file():
            msg = (
                f"{mark}: the ledger that it names is not in {private / 'ledger'}; name the private folder that holds "
                f"it (EVALKIT_PRIVATE, or 'private' in the protocol), or put it back from a backup, {ANOTHER}"
            )
            raise DisclosureError(msg)
        if found is None:
            # A name by chance: it stands among the releases, for everybody to read.
            place = private / "ledger" / secrets.token_hex(8)
            found = cls(place, mark, Index(place.name, str(releases.resolve())))
        found.check()
        if not found.names and not found.why:
            found._refuse_a_second()
        return found

    @classmethod
    def another(cls, private: Path, releases: Path, why: str, lost: Iterable[str]) -> Ledger:
        """Return a new ledger where there is one already, or elsewhere for the same study.

        `why` is somebody's reason; `lost` are releases that lie there and that the new ledger does not hold.
        """
        place = private / "ledger" / secrets.token_hex(8)
        index = Index(place.name, str(releases.resolve()), why=why, lost=tuple(sorted(set(lost))))
        return cls(place, releases / _MARK, index)

    @classmethod
    def known(cls, private: Path, releases: Path) -> Ledger | None:
        """Return the ledger of a folder of releases as it is, unchecked; None where the private folder has none.

        `DisclosureError` if the file that names the ledger names none.
        """
        mark = releases / _MARK
        if mark.is_file():
            try:
                name = mark.read_text(encoding="utf-8", errors="replace").strip()
            except OSError as error:
                msg = f"{mark}: cannot be read ({error.strerror}); it names the ledger"
                raise DisclosureError(msg) from None
            # It becomes the name of a folder: whoever can write among the releases must not lead elsewhere.
            if not re.fullmatch(r"[0-9A-Za-z]+", name):
                msg = f"{mark}: does not name a ledger; put back the file that was there, from any backup of {releases}"
                raise DisclosureError(msg)
            return cls(private / "ledger" / name, mark) if (private / "ledger" / name).is_dir() else None
        # The folder of releases was emptied, or its hidden file left behind: the newest one that was begun there.
        begun = [cls(folder, mark) for folder in sorted((private / "ledger").glob("*"))]
        here = [ledger for ledger in begun if ledger._readable_place() == str(releases.resolve())]
        return max(here, key=lambda ledger: (ledger.folder / KEY).stat().st_mtime_ns, default=None)

    def _readable_place(self) -> str:
        try:
            return self._index().releases
        except DisclosureError:
            return ""

    @property
    def why(self) -> str:
        """Why another ledger was begun; empty for the first one of a study."""
        return self._index().why

    def begin(self) -> None:
        """Make the ledger, before the first release can be seen: a render that fails leaves nothing behind."""
        if self.fresh is not None and not (self.folder / KEY).is_file():
            make_private(self.folder)
            # The key comes last: a ledger without one has not begun, and a render that dies here left nothing.
            write_private(self.folder / INDEX, self.fresh.sealed(self._new_key))
            write_private(self.folder / KEY, self._new_key)
        elif not (self.folder / INDEX).is_file():  # written before ledgers had one
            write_private(self.folder / INDEX, self._index().sealed(self._key()))
        if not self.mark.is_file() or self.mark.read_text(encoding="utf-8").strip() != self.folder.name:
            self.mark.parent.mkdir(parents=True, exist_ok=True)
            made = self.mark.with_name(f"{_MARK}.new")
            made.write_text(self.folder.name, encoding="utf-8")
            made.chmod(0o644)  # it is a random name, and each user of the releases has to read it
            made.replace(self.mark)

    @property
    def names(self) -> tuple[str, ...]:
        """The releases in it, in the order in which they were published."""
        return tuple(release for _, release, _ in self._index().entries)

    @property
    def given_up(self) -> tuple[str, ...]:
        """The releases that lie there from before another ledger was begun; this one does not hold them."""
        return tuple(self._index().lost)

    def newest(self, report: str, period: str) -> tuple[int, str]:
        """Return the newest revision of a report on a period, and the digest of its manifest.

        0 where there is none; an empty digest where it was not kept.
        """
        named = re.compile(re.escape(f"{report}-{period}-r") + r"(\d+)")
        found = [(int(match[1]), name) for name in self.names if (match := named.fullmatch(name))]
        number, name = max(found, default=(0, ""))
        return number, self.manifest_of(name) if name else ""

    def manifest_of(self, name: str) -> str:
        """Return the digest of the manifest of a release, as it was published; empty where it was not kept."""
        entries = [entry for entry in self._index().entries if entry[1] == name]
        return str(self._entry(*entries[0]).get("manifest_sha256", "")) if entries else ""

    def published_on(self, name: str) -> str:
        """Return when a release was published, in UTC; empty where it was not kept."""
        entries = [entry for entry in self._index().entries if entry[1] == name]
        return str(self._entry(*entries[0]).get("published", "")) if entries else ""

    def require(self, published: Iterable[str]) -> None:
        """Refuse to go on (`DisclosureError`) when a release is published that the ledger does not hold."""
        missing = sorted(set(published) - set(self.names) - set(self._index().lost))
        if missing:
            back = (
                f"the ledger back in {self.folder}, from a backup made after {missing[-1]} was published"
                if self.fresh is None
                else f"back {self.mark}, which names the ledger"
            )
            msg = (
                f"the ledger does not hold {missing[0]} ({len(missing)} releases are missing), so nobody can say what "
                f"a new release would give away; put {back}, {ANOTHER}"
            )
            raise DisclosureError(msg)

    def _others(self) -> list[Path]:
        there = [folder for folder in self.folder.parent.glob("*") if folder != self.folder]
        return [folder for folder in there if any(folder.glob("[0-9]*-*.json"))]

    def _refuse_a_second(self) -> None:
        others = self._others()
        if others:
            where = next((place for f in others if (place := Ledger(f, self.mark)._readable_place())), "another folder")
            msg = (
                f"{self.mark.parent}: releases of this study were published in {where}, and what is published here "
                f"would not be held against them; render into the same --out, {ANOTHER}"
            )
            raise DisclosureError(msg)

    @contextlib.contextmanager
    def adding(self, name: str, manifest_sha256: str) -> Iterator[None]:
        """Add a release that is placed within the block; `DisclosureError` if the ledger holds one of that name.

        Whatever dies within the block, the next render finds out with `recover` whether the release was placed.
        """
        if name in self.names:
            msg = f"{self.folder}: holds {name} already; an entry is never written over"
            raise DisclosureError(msg)
        self.begin()
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        write_private(self.folder / _PENDING, entry_to(name, manifest_sha256, moment))
        yield
        self._settle(name)

    def recover(self, is_published: Callable[[str], bool]) -> None:
        """Finish what a render that died while it placed its release has begun.

        `is_published` says whether a release with that digest of its manifest lies among the releases.
        `DisclosureError` if the entry that it wrote cannot be read.
        """
        pending = self.folder / _PENDING
        if not pending.is_file():
            return
        try:
            about = entry_from(pending.read_bytes())
            name, manifest = str(about["release"]), str(about["manifest_sha256"])
        except (ValueError, KeyError):
            msg = f"{pending}: is damaged; put it back from the newest backup of {self.folder}, {ANOTHER}"
            raise DisclosureError(msg) from None
        # By digest, not by name: what lies at the place may be the release of before.
        if name in self.names or is_published(manifest):
            self._settle(name)
        else:
            pending.unlink()  # it died before anybody could see the release

    def is_pending(self, manifest_sha256: str) -> bool:
        """Return whether a render that died was placing the release with that manifest; see `recover`."""
        pending = self.folder / _PENDING
        with contextlib.suppress(OSError, ValueError):
            return entry_from(pending.read_bytes()).get("manifest_sha256") == manifest_sha256
        return False

    def _settle(self, name: str) -> None:
        """Write the index, then give the entry its name: from the index on it counts as published."""
        pending, index = self.folder / _PENDING, self._index()
        if name not in self.names:
            file = f"{len(index.entries) + 1:05d}-{name}.json"
            entry = (file, name, hashlib.sha256(pending.read_bytes()).hexdigest())
            here = str(self.mark.parent.resolve())  # it may have been moved since
            index = dataclasses.replace(index, releases=here, entries=(*index.entries, entry))
            write_private(self.folder / INDEX, index.sealed(self._key()))
        file = next(file for file, release, _ in index.entries if release == name)
        if not (self.folder / file).exists():
            pending.replace(self.folder / file)

    def check(self) -> None:
        """Hold everything to the index; raise `DisclosureError` naming what is damaged, and the backup to bring."""
        index = self._index()
        for entry in index.entries:
            self._entry(*entry)
        there = {file.name for file in self.folder.glob("*.json")} - {INDEX, _PENDING}
        for file in sorted(there - {file for file, _, _ in index.entries}):
            msg = (
                f"{self.folder / file}: the ledger's index does not name it; put back {INDEX} from the newest backup "
                f"of {self.folder}, {ANOTHER}"
            )
            raise DisclosureError(msg)

    def _entry(self, file: str, release: str, sha256: str) -> dict[str, str]:
        place, content = self.folder / file, b""
        for one in (place, self.folder / _PENDING):  # named by the index, and not by its own name yet
            if not content and one.is_file() and not one.is_symlink():
                found = one.read_bytes()
                content = found if hashlib.sha256(found).hexdigest() == sha256 else b""
        try:
            about = entry_from(content)
        except ValueError:
            about = {}
        if about.get("release") != release:
            wrong = "is not what was written" if place.is_file() else "is gone"
            msg = (
                f"{place}: this entry of the ledger {wrong}; put it back from a backup of {self.folder} made after "
                f"{release} was published, {ANOTHER}"
            )
            raise DisclosureError(msg)
        return about

    def _index(self) -> Index:
        if self.fresh is not None and not (self.folder / KEY).is_file():
            return self.fresh
        return index_of(self.folder)

    def _key(self) -> bytes:
        if self.fresh is not None and not (self.folder / KEY).is_file():
            return self._new_key
        return checked_key(self.folder)


def entry_to(release: str, manifest_sha256: str, published: str) -> bytes:
    """Write an entry: name, digest of the manifest, and when it was published, in UTC.

    The release itself holds no time of a clock, so that it comes out again byte by byte.
    """
    about = {"release": release, "manifest_sha256": manifest_sha256, "published": published}
    return json.dumps(about, sort_keys=True).encode()


def entry_from(content: bytes) -> dict[str, Any]:
    """Read an entry: release, and manifest_sha256 and published where they were kept; `ValueError` if it is none.

    Those of releases whose counts were rounded held their cells beside it.
    """
    found = json.loads(content)
    if not isinstance(found, dict) or not isinstance(found.get("release"), str):
        msg = "not an entry"
        raise ValueError(msg)  # noqa: TRY004 - the content is wrong, not its type
    return {name: found[name] for name in ("release", "manifest_sha256", "published") if name in found}


@dataclass(frozen=True)
class Index:
    """What a ledger says of itself."""

    ledger: str  # its name
    releases: str = ""  # the folder of releases it was begun for; empty where that was not kept
    why: str = ""  # why it was begun beside or after another one
    lost: tuple[str, ...] = ()  # releases that were there then and that it does not hold
    # File, release and SHA-256 of each entry, in the order in which they were published.
    entries: tuple[tuple[str, str, str], ...] = ()

    def sealed(self, key: bytes) -> bytes:
        """Return the index as its file holds it, sealed with the ledger's key."""
        content = {**asdict(self), "key": _fingerprint(key)}
        return json.dumps({**content, "seal": _seal(key, content)}, indent=1, sort_keys=True).encode()


def _fingerprint(key: bytes) -> str:
    return hmac.new(key, b"evalkit ledger key", hashlib.sha256).hexdigest()[:16]


def _seal(key: bytes, content: dict[str, Any]) -> str:
    return hmac.new(key, json.dumps(content, sort_keys=True).encode(), hashlib.sha256).hexdigest()


def index_of(folder: Path) -> Index:
    """Read the index of a ledger, and hold it to the key; `DisclosureError` names which of them is damaged or gone."""
    key = checked_key(folder)
    file = folder / INDEX
    if not file.is_file():
        return _before_indices(folder)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        seal = content.pop("seal")
        known = content["key"]
        entries = tuple((str(f), str(r), str(s)) for f, r, s in content["entries"])
        texts = {name: str(content[name]) for name in ("ledger", "releases", "why")}
        index = Index(**texts, lost=tuple(map(str, content["lost"])), entries=entries)
        ours = known == _fingerprint(key)
        # Under another key no seal can hold: the fingerprint tells which of the two is to be brought back.
        sound = index.ledger == folder.name and (not ours or hmac.compare_digest(seal, _seal(key, content)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        sound, ours = False, True
    if sound and not ours:
        msg = (
            f"{folder / KEY}: is not the key that this ledger was written with ({known}); put it back from any backup "
            f"of {folder}, it never changes, {ANOTHER}"
        )
        raise DisclosureError(msg)
    if not sound:
        msg = f"{file}: the ledger's index is damaged; put it back from the newest backup of {folder}, {ANOTHER}"
        raise DisclosureError(msg)
    return index


def checked_key(folder: Path) -> bytes:
    """Read the key of a ledger: 32 bytes, not yet held to the index.

    `DisclosureError` if it is gone, is no key, or others can read it.
    """
    back = f"put it back from any backup of {folder}, it never changes, {ANOTHER}"
    return read_key(folder / KEY, "the key of the ledger", back)


def _before_indices(folder: Path) -> Index:
    """Return the index of a ledger that was written before there were any: its entries as they lie there."""
    entries = []
    for number, file in enumerate(sorted(folder.glob("[0-9]*-*.json")), start=1):
        content = file.read_bytes()
        try:
            about = entry_from(content)
        except ValueError:
            about = {}
        release = str(about.get("release", ""))
        # Entries hold this since there is an index: so there was one.
        if "manifest_sha256" in about:
            msg = (
                f"{folder / INDEX}: the ledger's index is gone; put it back from the newest backup of {folder}, "
                f"{ANOTHER}"
            )
            raise DisclosureError(msg)
        if file.name != f"{number:05d}-{release}.json":
            msg = (
                f"{file}: this entry of the ledger is not what was written, or one before it is gone; put it back "
                f"from a backup of {folder}, {ANOTHER}"
            )
            raise DisclosureError(msg)
        entries.append((file.name, release, hashlib.sha256(content).hexdigest()))
    if not entries:
        msg = f"{folder / INDEX}: the ledger's index is gone; put it back from the newest backup of {folder}, {ANOTHER}"
        raise DisclosureError(msg)
    return Index(folder.name, entries=tuple(entries))
