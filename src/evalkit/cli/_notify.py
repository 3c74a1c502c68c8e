"""Telling somebody what became of a render: by a command or an address that the protocol names."""

from __future__ import annotations

__all__ = ["message_for", "notify"]

import json
import os
import re
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from evalkit.protocol import Study

_TOLD = ("study", "report", "period", "status", "exit_class", "exit_code", "revision", "manifest_sha256", "what_to_do")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
# A mailbox or chat that does not answer must not hold up the night: the report is published already.
_SECONDS = 30


def message_for(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what leaves of a record: it may reach a mailbox or a chat, so no day of any table and no path is in it."""
    told = {name: record[name] for name in _TOLD if record.get(name) is not None}
    return {**told, "what_to_do": _without_paths(record.get("what_to_do")), "message": _safe(record.get("message"))}


def _safe(message: object) -> str:
    """Leave out days, of which a table's newest is somebody's, and folders of this machine: the log has both."""
    return _without_paths(_DAY.sub("…", str(message or "").split("\n", 1)[0]))


def _without_paths(text: object) -> str:
    """Leave out folders and addresses, up to the next blank: a sign such as : or @ may stand within one."""
    return re.sub(r"(?:^|(?<=[\s(']))(?:[~/]|[A-Za-z][\w+.-]+:/)\S*?(?=[,;:)'.]*(?:\s|$))", "…", str(text or ""))


def notify(study: Study, record: Mapping[str, Any]) -> bool | None:
    """Tell whom the protocol names; None where nobody is, False where they could not be told.

    That they could not changes nothing of what was done.
    """
    whom = os.environ.get("EVALKIT_NOTIFY") or study.notify
    if whom is None:
        return None
    content = json.dumps(message_for(record), ensure_ascii=False, sort_keys=True).encode()
    try:
        # Filled in here and not kept: the address stands in no file and no message with its password.
        named = re.sub(r"\$\{(\w+)\}", lambda match: os.environ[match[1]], whom)
        if re.match(r"https?://", named):
            _post(named, content)
        else:
            _call(named, content, study)
    except KeyError as missing:
        why = f"environment variable {missing.args[0]} is not set"
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        why = type(error).__name__  # its text may hold the address, and with it a password
    else:
        return True
    sys.stderr.write(f"evalkit: nobody could be told ({why}); see 'notify' in {study.path.name}\n")
    return False


def _post(address: str, content: bytes) -> None:
    asked = urllib.request.Request(  # noqa: S310 - http and https only
        address, data=content, headers={"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(asked, timeout=_SECONDS):  # noqa: S310
        return


def _call(command: str, content: bytes, study: Study) -> None:
    subprocess.run(  # noqa: S603 - the study's own command, without a shell
        shlex.split(command), input=content, cwd=study.folder, timeout=_SECONDS, check=True, stdout=subprocess.DEVNULL
    )
