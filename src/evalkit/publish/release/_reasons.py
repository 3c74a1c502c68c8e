"""What people write about a release, and is published beside it: nobody's identifier, no secret, no folder."""

from __future__ import annotations

__all__ = ["check_written"]

from collections.abc import Iterable, Mapping

from evalkit.errors import DisclosureError
from evalkit.protocol import Study, private_folder
from evalkit.publish.audit import guard_for


def check_written(study: Study, texts: Mapping[str, str], identifiers: Iterable[str], secrets: Iterable[str]) -> None:
    """Hold texts that are published beside a release to what a report's own are held to.

    Parameters
    ----------
    study : Study
    texts : mapping
        How each was given, as ``--reason``: text.
    identifiers, secrets : iterable of str
        Of all participants; of the study's database.

    Raises
    ------
    DisclosureError
        Naming what was given, never what it holds.
    """
    protocol = study.path.read_text(encoding="utf-8", errors="replace")
    paths = [str(study.folder), str(private_folder(study))]
    guard = guard_for(
        "", identifiers=identifiers, secrets=secrets, paths=paths, protocol=protocol, authored="", days=()
    )
    for name, text in texts.items():
        # A day that somebody wrote here himself may stand, as one in a notebook's prose may.
        if reason := guard.objection([text], dated=False):
            msg = f"{name}: {reason}; it is published, so say it without"
            raise DisclosureError(msg)
