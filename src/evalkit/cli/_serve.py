"""Serves a draft to this machine's own browser, and tells it when there is a newer one.

Nobody else gets it: the address is of the loopback, holds a token that is drawn by lot, and no other host's name is
answered to, so that a page from elsewhere cannot reach it. The page itself holds no script; the one that reloads it is
put in here, and a policy of its own lets nothing else run.
"""

from __future__ import annotations

__all__ = ["Served"]

import http.server
import json
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

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
