"""A ledger's entries as bytes and back, and their index: each with its digest, sealed with the ledger's key."""

from __future__ import annotations

__all__ = ["ANOTHER", "INDEX", "KEY", "Index", "checked_key", "entry_from", "entry_to", "index_of"]

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evalkit.errors import DisclosureError
from evalkit.protocol import read_key

INDEX, KEY = "index.json", "key"
ANOTHER = "or begin another with --new-ledger 'why'"


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
