"""The release site: static pages about what was published, from releases and the ledger only.

Nothing is computed here: each number on a page stands in a manifest or in a CSV of a release, and is written as text.
"""

from evalkit.site._build import Built, build_site

__all__ = ["Built", "build_site"]
