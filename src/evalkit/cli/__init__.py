"""The command line: parse, call, map errors to exit codes. Heavy imports wait until a command needs them."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from types import FrameType

from evalkit.cli._surroundings import closed_down, made_ready
from evalkit.errors import DataError, EvalkitError, ReleaseError

__all__ = ["main"]

# As shells say them: 128 and the number of the signal (SIGINT, SIGPIPE).
_INTERRUPTED, _UNHEARD = 130, 141


def _terminated(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what signal calls
    # A polite kill is treated as Ctrl-C, so that kernels and publishers are ended with us.
    raise KeyboardInterrupt


def _fail(text: str, code: int) -> int:
    with contextlib.suppress(OSError):  # nobody may be listening; the code says it, too
        sys.stderr.write(f"evalkit: {' '.join(text.split())}\n")
    return code


def main() -> None:
    """Run the command line and exit.

    Exit codes are in `evalkit.errors`; a misuse of the command line itself is 2, an interrupt 130.
    """
    signal.signal(signal.SIGTERM, _terminated)
    try:
        with made_ready():
            code = _run()
    except EvalkitError as error:
        code = _fail(str(error), error.exit_code)
    sys.exit(closed_down(code))


def _run() -> int:
    import typer  # noqa: PLC0415 - an interrupt while it loads is caught too

    from evalkit.cli._app import app  # noqa: PLC0415

    try:
        code = app(standalone_mode=False, prog_name="evalkit")
    except DataError as error:  # broken rules: a line each, as validate writes them
        return max(_fail(line, error.exit_code) for line in error.lines or (str(error),))
    except EvalkitError as error:
        return _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except (BrokenPipeError, SystemExit) as ended:  # the parser exits where nobody reads what it writes
        unheard = isinstance(ended, BrokenPipeError) or type(sys.stdout).__name__ == "PacifyFlushWrapper"
        return _UNHEARD if unheard else int(getattr(ended, "code", 0) or 0)
    except Exception as error:
        return _other(error)
    if code == _INTERRUPTED:  # the parser may have turned the interrupt into this code itself
        return _fail("interrupted; nothing was published", _INTERRUPTED)
    return code if isinstance(code, int) else 0


def _other(error: Exception) -> int:
    """Explain a misuse of the command line; of anything else show no traceback and no value of anyone."""
    usage = getattr(error, "format_message", None)  # the parser's own errors, in every version of typer
    if usage is not None and type(error).__name__ == "NoArgsIsHelpError":
        return int(getattr(error, "exit_code", 2))  # the help was shown
    if usage is not None:
        return _fail(f"{usage()} (see 'evalkit --help')", int(getattr(error, "exit_code", 2)))
    if isinstance(error, OSError) and error.strerror:
        what = error.filename or "a file or stream"
        return _fail(f"{what}: cannot be used ({error.strerror.lower()})", ReleaseError.exit_code)
    if os.environ.get("EVALKIT_DEBUG"):
        traceback.print_exc()
    kind = type(error).__name__
    return _fail(f"unexpected {kind}, a defect of evalkit; EVALKIT_DEBUG=1 shows where", 1)
