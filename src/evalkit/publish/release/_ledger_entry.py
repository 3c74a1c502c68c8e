"""What the record of releases says of one release, as bytes and back."""

from __future__ import annotations

__all__ = ["entry_from", "entry_to"]

import json
from typing import Any


def entry_to(release: str, manifest_sha256: str, published: str) -> bytes:
    """Write an entry.

    Parameters
    ----------
    release : str
        Name of the release.
    manifest_sha256 : str
        Digest of its manifest.
    published : str
        When, in UTC: the release itself holds no time of a clock, so that it comes out again byte by byte.

    Returns
    -------
    bytes
    """
    about = {"release": release, "manifest_sha256": manifest_sha256, "published": published}
    return json.dumps(about, sort_keys=True).encode()


def entry_from(content: bytes) -> dict[str, Any]:
    """Read an entry; those of releases whose counts were rounded held their cells beside it.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    dict
        release, and manifest_sha256 and published where they were kept.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    found = json.loads(content)
    if not isinstance(found, dict) or not isinstance(found.get("release"), str):
        msg = "not an entry"
        raise ValueError(msg)  # noqa: TRY004 - the content is wrong, not its type
    return {name: found[name] for name in ("release", "manifest_sha256", "published") if name in found}
