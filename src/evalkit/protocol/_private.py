"""The private folder of a study: what belongs to it and is never published."""

from __future__ import annotations

__all__ = ["private_folder"]

import hashlib
import os
from pathlib import Path

import platformdirs

from evalkit.errors import ProtocolError
from evalkit.protocol._study import Study

_NAME = ".evalkit"


def private_folder(study: Study) -> Path:
    """Return the folder of a study that only its user can open, made when it is not there.

    It is ``.evalkit/<study id>/`` beside the protocol, or below the user's data folder where the protocol's own folder
    cannot be written.

    Parameters
    ----------
    study : Study
        As read from its file.

    Returns
    -------
    pathlib.Path
        A folder with mode 0700; put files into it with mode 0600.

    Raises
    ------
    ProtocolError
        If neither place can be written.
    """
    beside = study.folder / _NAME
    elsewhere = hashlib.sha256(str(study.path).encode()).hexdigest()[:12]
    places = [beside / study.id]
    if not os.environ.get("EVALKIT_HOMELESS"):  # a home that ends with the process is no place for a ledger
        places.append(Path(platformdirs.user_data_dir("evalkit")) / f"{study.id}-{elsewhere}")
    for place in places:
        try:
            if place.parent == beside and not os.access(study.folder, os.W_OK) and not place.is_dir():
                continue
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (place, place.parent) if place.parent == beside else (place,):
                folder.chmod(0o700)
        except OSError:
            continue
        if os.access(place, os.W_OK | os.X_OK):
            return place
    neither = f", and {places[1]} neither" if len(places) > 1 else ", and there is no home to use in its place"
    msg = f"{places[0]}: cannot be written{neither}; evalkit keeps the study's private files there"
    raise ProtocolError(msg)
