"""``evalkit draft``: checks, a run, a page; and again after each edit.

The page is served to this machine's own browser, which is told when there is a newer one. Nobody else gets it: the
address is of the loopback, holds a token that is drawn by lot, and no other host's name is answered to, so that a page
from elsewhere cannot reach it. The page itself holds no script; the one that reloads it is put in here, and a policy of
its own lets nothing else run.
"""

from __future__ import annotations

__all__ = ["Served", "run"]

import contextlib
import http.server
import json
import secrets
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path
from types import TracebackType
from typing import Any

from evalkit.cli._render import Request, log_folder, params_of, plan
from evalkit.errors import EvalkitError, PublicationError
from evalkit.intake.mapping import files_like
from evalkit.protocol import Study, load_study, version_file, write_private
from evalkit.publish import Drafted, Drafter, RenderJob, find_notebook, progress_for
from evalkit.publish.rendering import scratch_folder, swept_up

_WAITS = 20.0  # seconds for which a browser waits for news
_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; font-src data:; script-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_SCRIPT = """\
(async () => {
  const place = document.currentScript.src.replace(/draft\\.js$/, "");
  let seen = null, state = -1;
  const box = document.createElement("div");
  box.setAttribute("role", "status");
  box.className = "trouble";
  box.hidden = true;
  document.body.prepend(box);
  for (;;) {
    try {
      const answer = await fetch(`${place}news?after=${state}`, { cache: "no-store" });
      const news = await answer.json();
      if (seen !== null && news.version !== seen) { location.reload(); return; }
      seen = news.version;
      state = news.state;
      box.hidden = news.trouble.length === 0;
      box.textContent = news.trouble.join("\\n");
    } catch { await new Promise((done) => setTimeout(done, 1000)); }
  }
})();
"""
_STYLE = (
    '<link rel="icon" href="data:,">'  # or the browser asks for one that is not there
    "<style>.trouble { position: fixed; left: 0; right: 0; bottom: 0; z-index: 9; margin: 0; padding: .6rem 1rem; "
    "white-space: pre-wrap; background: #8a3b00; color: #fff; font: .95rem/1.4 monospace; max-height: 50vh; "
    "overflow: auto; } .trouble[hidden] { display: none; }</style>"
)
_WAITING = (
    '<!DOCTYPE html><html lang="en"><head><title>Draft</title></head>'
    "<body><p>The draft is being made.</p></body></html>"
)


class Served:
    """A draft on the loopback, at a port (0: any free one); ``address`` has the token in it."""

    def __init__(self, port: int) -> None:
        self._token = secrets.token_urlsafe(16)
        self._news = threading.Condition()
        self._state = self._version = 0  # of all that a browser hears; of the page alone
        self._trouble: list[str] = []
        self._files: dict[str, bytes] = {"html": _WAITING.encode()}
        served = self

        class Handler(_Handler):
            draft = served

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        # A browser that waits for news must not keep the command from ending.
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.address = f"http://127.0.0.1:{self.port}/{self._token}/"

    def __enter__(self) -> Served:
        threading.Thread(target=self._server.serve_forever, name="serve", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def show(self, files: Mapping[str, Path]) -> None:
        """Serve a newer draft: format and file."""
        read = {name: file.read_bytes() for name, file in files.items()}
        with self._news:
            changed = read != self._files
            self._files, self._trouble = read, []
            # The same page is not loaded anew: its reader would lose the place.
            self._version += changed
            self._state += 1
            self._news.notify_all()

    def trouble(self, lines: Sequence[str]) -> None:
        """Say on the page what stands in the way of a newer one."""
        with self._news:
            self._trouble = list(lines)
            self._state += 1
            self._news.notify_all()

    def answer(self, path: str) -> tuple[str, bytes] | None:
        """Return the type and content of what is asked for; None where there is no such thing."""
        token, _, rest = path.lstrip("/").partition("/")
        # In the same time for each wrong token, so that none is found sign by sign.
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            return None
        name, _, query = rest.partition("?")
        if name == "news":
            return "application/json", json.dumps(self._told(query)).encode()
        if name == "draft.js":
            return "text/javascript; charset=utf-8", _SCRIPT.encode()
        if name == "report.pdf" and "pdf" in self._files:
            return "application/pdf", self._files["pdf"]
        if not name and "html" in self._files:
            script = f'{_STYLE}<script src="/{self._token}/draft.js" defer></script></head>'
            return "text/html; charset=utf-8", self._files["html"].replace(b"</head>", script.encode(), 1)
        return None

    def _told(self, query: str) -> dict[str, Any]:
        """Return the news, as soon as there are any or the browser has waited long enough."""
        after = query.partition("after=")[2]
        until = time.monotonic() + _WAITS
        with self._news:
            while str(self._state) == after and (left := until - time.monotonic()) > 0:
                self._news.wait(left)
            return {"state": self._state, "version": self._version, "trouble": self._trouble}


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET, to this machine's own names, and says nothing in a log."""

    draft: Served
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        # A page from elsewhere whose name was made to lead here (DNS rebinding) names its own host.
        own = {f"127.0.0.1:{self.draft.port}", f"localhost:{self.draft.port}"}
        found = self.draft.answer(self.path) if self.headers.get("Host") in own else None
        kind, content = found or ("text/plain; charset=utf-8", b"There is nothing here.\n")
        try:
            self.send_response(200 if found else 404)
            headers = {
                "Content-Type": kind,
                "Content-Length": str(len(content)),
                "Content-Security-Policy": _POLICY,
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
            }
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
        except OSError:  # the browser went away
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: ANN401
        """Say nothing."""


_LOOKS = 0.15  # seconds between looks at the files: an edit is to be seen within two
_SETTLES = 0.05  # seconds for which a file has to stay as it is: editors write in two steps


def run(request: Request, *, pdf: bool, watch: bool, port: int, browser: bool) -> int:
    """Make a draft, with a PDF beside the page if asked; with ``watch`` serve it, and make it again after each change.

    0, or 9 where the notebook has problems. An `EvalkitError` as of a render; with ``watch`` only of what is wrong
    before the first page. Port 0 is any free one.
    """
    swept_up()
    formats = ("html", "pdf") if pdf else ("html",)
    with progress_for() as progress, scratch_folder() as scratch:
        bench = _Bench(request, scratch, formats, progress)
        try:
            if not watch:
                return _told(bench.draft(), sys.stdout)

            with Served(port) as served:
                sys.stdout.write(f"{served.address}\n")
                sys.stdout.flush()
                _watch(bench, served, browser=browser)
        finally:
            bench.close()
    return 0


@dataclass
class _Bench:
    """One report on the bench: its kernel, and what it is made of."""

    request: Request
    scratch: Path
    formats: tuple[str, ...]
    progress: Any
    _drafter: Drafter | None = None
    _job: RenderJob | None = None
    _made_of: dict[Path, tuple[int, int] | None] | None = None
    _notebook: dict[Path, tuple[int, int] | None] | None = None  # as it was when the kernel began

    def draft(self) -> Drafted:
        """Make a draft of what is there now."""
        file = self.request.studies[0]
        if self._job is None or self._drafter is None or _stats(self._made_of or {}) != self._made_of:
            self._begin(file)
        if self._job is None or self._drafter is None:
            msg = "the draft could not begin"
            raise PublicationError(msg)
        return self._drafter.draft(self._job, self.formats, self.progress)

    def _begin(self, file: Path) -> None:
        """Start a kernel, and look at the tables meanwhile."""
        self.close()
        study = load_study(file)
        params_file, params = params_of(self.request, study)
        notebook = find_notebook(params.notebook, study)
        self._made_of, self._notebook = _stats(_inputs(study, params_file, notebook)), _stats([notebook])
        planned: list[RenderJob | EvalkitError] = []

        def work() -> None:
            try:
                planned.extend(plan(self.request, file))
            except EvalkitError as error:
                planned.append(error)

        # A kernel takes seconds to begin, and so do the tables: at the same time.
        thread = threading.Thread(target=work, name="plan", daemon=True)
        thread.start()
        log = log_folder(study) / f"{study.id}-{params.report}-draft.log"
        self._drafter = Drafter.prepared(f"{params.report} draft", notebook, log, self.scratch)
        thread.join()
        job = planned[0] if planned else PublicationError("the study could not be opened")
        if isinstance(job, EvalkitError):
            self.close()
            raise job
        self._job = job
        for warning in self._job.passed.warnings:
            sys.stderr.write(f"evalkit: {self._job.name}: {warning}\n")

    def watched(self) -> dict[Path, tuple[int, int] | None]:
        """Return the state of everything that a draft is made of."""
        return _stats([*(self._made_of or {}), *(self._notebook or {}), self.request.studies[0]])

    @property
    def begun_with(self) -> dict[Path, tuple[int, int] | None]:
        """The state of what was there when the kernel began."""
        return {**(self._made_of or {}), **(self._notebook or {})}

    def close(self) -> None:
        """End the kernel."""
        if self._drafter is not None:
            self._drafter.session.close()
        self._drafter = self._job = None


def _inputs(study: Study, params_file: Path, notebook: Path) -> list[Path]:
    """Return the files for which a kernel has to begin anew: all but the notebook."""
    named = [study.folder / name for name in (study.baselines, study.disclosure) if name]
    paths = [study.folder / path for table in study.tables.values() for path in table.paths]
    # A file more that a pattern names, or one frozen protocol more, changes the folder.
    frozen = version_file(study, "*")
    tables = [found for path in (*paths, frozen) for found in (path, *files_like(path))]
    folders = [frozen.parent, *(path.parent for path in paths if has_magic(path.name))]
    beside = [f for f in notebook.parent.iterdir() if f.suffix in {".py", ".po", ".json"}]
    return [study.path, params_file, *named, *tables, *folders, *beside]


def _stats(files: Any) -> dict[Path, tuple[int, int] | None]:  # noqa: ANN401 - any iterable of paths
    found: dict[Path, tuple[int, int] | None] = {}
    for file in files:
        found[file] = None
        with contextlib.suppress(OSError):
            about = file.stat()
            found[file] = (about.st_size, about.st_mtime_ns)
    return found


def _told(drafted: Drafted, stream: Any) -> int:  # noqa: ANN401
    """Say what became of a draft."""
    for problem in drafted.problems:
        sys.stderr.write(f"evalkit: {problem}\n")
    for file in drafted.files.values():
        stream.write(f"{file}\n")
    stream.flush()
    return PublicationError.exit_code if drafted.problems else 0


def _watch(bench: _Bench, served: Any, *, browser: bool) -> None:  # noqa: ANN401
    """Make the draft again whenever something changes, until somebody ends it."""
    for number, _ in enumerate(_changes(bench)):
        try:
            drafted = bench.draft()
        except EvalkitError as error:
            sys.stderr.write(f"evalkit: {' '.join(str(error).split())}\n")
            served.trouble([str(error)])
            continue
        _told(drafted, sys.stderr)
        if drafted.problems:
            served.trouble([str(problem) for problem in drafted.problems])
            continue
        served.show(drafted.files)
        cells = "no cell ran" if not drafted.ran else f"{drafted.ran} cell{'s' * (drafted.ran > 1)} ran"
        bench.progress.step("draft", f"{cells}, {drafted.seconds:.1f} s; Ctrl-C ends it")
        if number == 0 and browser:
            import webbrowser  # noqa: PLC0415

            webbrowser.open(_door(bench.scratch, served.address))


def _door(folder: Path, address: str) -> str:
    """Write a page that leads on to a draft, and return its address.

    What a browser is called with every user of the machine sees (``ps``): the draft's own address has the token in it.
    """
    file = folder / "open.html"
    head = f'<meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0; url={address}">'
    page = f'<!DOCTYPE html><html lang="en"><head><title>Draft</title>{head}</head><body></body></html>'
    write_private(file, page.encode())
    return file.as_uri()


def _changes(bench: _Bench) -> Iterator[None]:
    """Yield once, and then after each change of what a draft is made of."""
    yield
    before = {**bench.watched(), **bench.begun_with}  # an edit made during the first pass is seen
    while True:
        now = bench.watched()
        if now == before:
            time.sleep(_LOOKS)
            continue
        time.sleep(_SETTLES)
        if bench.watched() != now:
            continue
        before = now
        yield
