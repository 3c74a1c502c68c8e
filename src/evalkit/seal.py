"""The seal on an output: that `evalkit.report` put it out in this very run, and that nobody changed it since.

A render makes a key (`new_key`) and hands it to its kernel in the environment. `evalkit.report` seals what passed
disclosure control: a keyed digest (HMAC-SHA-256) of everything the output holds and everything its mark says, with
a number that is used once. The audit of the finished notebook computes it again. A mark written by hand, put on another
content, copied or edited has no valid seal. In JupyterLab there is no key, and no seal.
"""

from __future__ import annotations

__all__ = ["DRAFTED", "ENVIRONMENT", "MARK", "WITHOUT_ESTIMATE", "Sealer", "is_sealed", "new_key"]

import hashlib
import hmac
import itertools
import json
import os
import re
import secrets
from collections.abc import Mapping
from typing import Any

from evalkit.errors import DisclosureError

MARK = "evalkit"
"""Key of the mark in an output's metadata."""

DRAFTED = "EVALKIT_DRAFT"
"""Environment variable of the kernel of a draft: figures are not drawn once more for phones, which takes seconds."""

ENVIRONMENT = "EVALKIT_SEAL"
"""Environment variable in which a render gives its kernel the key."""

WITHOUT_ESTIMATE = frozenset(
    {
        "about",
        "absent",
        "cover",
        "deviations",
        "dictionary",
        "excuses",
        "groups",
        "methods",
        "provenance",
        "reading",
        "restatements",
    }
)
"""Kinds of output that come from the protocol, not from people, and so need no estimate and no verdict."""

VERDICTS = frozenset({"released", "partly", "withheld"})
"""What the policy may have decided of an estimate."""

_ESTIMATE = re.compile(r"[0-9a-f]{12}")


def new_key() -> str:
    """Return a fresh key."""
    return secrets.token_hex(32)


def _digest(key: str, mark: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    unsealed = {name: value for name, value in mark.items() if name != "seal"}
    # A notebook's file keeps long texts as lists of lines: the same content has to give the same digest.
    texts = {mime: "".join(text) if isinstance(text, list) else text for mime, text in content.items()}
    written = json.dumps([unsealed, texts], sort_keys=True)
    return hmac.new(key.encode(), written.encode(), hashlib.sha256).hexdigest()


class Sealer:
    """Seals outputs in a kernel, with the render's key.

    Not given, it is taken from the environment, once: no later cell and no child process finds it there by accident.
    """

    def __init__(self, key: str | None = None) -> None:
        self._key = os.environ.pop(ENVIRONMENT, "") if key is None else key
        self._numbers = itertools.count(1)

    def sealed(self, mark: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
        """Return a mark of plain values with its number and seal, for content by MIME type.

        DisclosureError if the mark names neither an estimate with its verdict nor a kind that needs none.
        """
        if not is_complete(mark):
            msg = f"an output of kind '{mark.get('kind', '')}' names no estimate with its verdict; use report.show"
            raise DisclosureError(msg)
        # Through JSON and back, as the audit reads it; the number stops an
        # output from being copied with its seal (ADR 7).
        plain: dict[str, Any] = json.loads(json.dumps({**mark, "number": next(self._numbers)}))
        return {**plain, "seal": _digest(self._key, plain, content)} if self._key else plain


def is_complete(mark: Mapping[str, Any]) -> bool:
    """Say whether a mark names an estimate with its verdict, or a kind of output that needs none.

    Examples
    --------
    >>> is_complete({"kind": "methods"}), is_complete({"kind": "cox"})
    (True, False)
    >>> is_complete({"kind": "cox", "estimate": "0123456789ab", "verdict": "released"})
    True
    """
    if mark.get("estimate") is None and mark.get("verdict") is None:
        return mark.get("kind") in WITHOUT_ESTIMATE
    named = _ESTIMATE.fullmatch(str(mark.get("estimate"))) is not None
    return named and bool(mark.get("kind")) and mark.get("verdict") in VERDICTS


def is_sealed(key: str, mark: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    """Say whether a mark, as it stands in the output's metadata, has a seal of this run and of this content.

    Examples
    --------
    >>> key, content = new_key(), {"text/markdown": "At most 40%."}
    >>> mark = Sealer(key).sealed({"kind": "methods"}, content)
    >>> is_sealed(key, mark, content), is_sealed(key, mark, {"text/markdown": "At most 41%."})
    (True, False)
    """
    seal = mark.get("seal")
    if not key or not isinstance(seal, str) or not is_complete(mark):
        return False
    return hmac.compare_digest(seal, _digest(key, mark, content))
