"""How a study's releases are cited and what others may do with them: part of ``study.yaml``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from evalkit.protocol._fields import Model, Text


class Author(Model):
    """A person who answers for the releases."""

    family: Annotated[Text, Field(min_length=1)]
    """Family name."""
    given: Text = ""
    """Given name."""
    orcid: Annotated[str, Field(pattern=r"^(?:\d{4}-){3}\d{3}[\dX]$")] | None = None
    """ORCID, as 0000-0002-1825-0097."""
    affiliation: Text = ""
    """Where the person works."""


class Citation(Model):
    """How releases are cited. All of it is published."""

    authors: list[Author] = []
    """People who answer for them, in order; none: the study's organisation does."""
    licence: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+-]{0,63}$")] | None = None
    """SPDX name of the licence of releases, as CC-BY-4.0; none: nothing is said, and all rights are kept."""
    version: Text = ""
    """Version of the protocol, as its owners count it."""
    url: Annotated[str, Field(pattern=r"^https?://[^\s<>\"']+$")] | None = None
    """Address at which the release site stands."""
