"""What keys a manifest's digests: the study's secret, or, where it is not, what the manifest says."""

from __future__ import annotations

__all__ = ["Keyer", "Recorded"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class Keyer(Protocol):
    """What gives keyed digests."""

    @property
    def id(self) -> str:
        """Name of the secret, which tells nothing of it."""
        ...

    def keyed(self, *parts: str) -> str:
        """Return the keyed digest of some texts."""
        ...


@dataclass(frozen=True)
class Recorded:
    """Stands where the secret is not: gives back what a manifest says, so that everything else can be checked.

    Attributes
    ----------
    manifest : mapping
    """

    manifest: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Name of the secret that the release was made with."""
        return str(self.manifest.get("secret", ""))

    def keyed(self, *parts: str) -> str:
        """Return what the manifest says of a table.

        Parameters
        ----------
        *parts : str
            See `Secret.keyed`.

        Returns
        -------
        str
            Empty where it says nothing.
        """
        what, name = parts[0], parts[2]
        if what == "table":
            return str(dict(self.manifest["inputs"].get(f"table {name}", {})).get("hmac_sha256", ""))
        if what == "known":
            return str(self.manifest.get("known", {}).get(name, ""))
        return ""
