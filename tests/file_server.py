"""A real HTTP server on loopback that serves files as told: with ranges or without, broken off, busy, redirecting."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Site:
    """What the server does.

    `breaks` says after how many bytes of the body the connections to come are broken off; `statuses` which of the
    answers to come are refusals. After `stalls_after` bytes of a body nothing more comes until `goes_on` is set.
    `asked` has the path and the Range header of every request.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)
    ranges: bool = True
    etag: str | None = '"one"'
    length: bool = True
    chunked: bool = False
    stalls_after: int | None = None
    goes_on: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@contextmanager
def serving(tls: ssl.SSLContext | None = None, **settings: object) -> Iterator[Site]:
    """Serve until the block ends; by https with a `tls` context."""
    site = Site(**settings)  # type: ignore[arg-type]

    class Handler(_Handler):
        served = site

    with _Server(("127.0.0.1", 0), Handler) as server:
        site.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield site
        finally:
            site.goes_on.set()
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        pass  # clients that go away are what is tested


class _Handler(BaseHTTPRequestHandler):
    served: Site

    def do_GET(self) -> None:
        site = self.served
        site.asked.append((self.path, self.headers["Range"]))
        if site.statuses:
            self._head(site.statuses.pop(0), {"Content-Length": "0"})
        elif self.path in site.redirects:
            self._head(302, {"Location": site.redirects[self.path], "Content-Length": "0"})
        elif self.path not in site.files:
            self._head(404, {"Content-Length": "0"})
        else:
            self._send(site.files[self.path])

    def _send(self, content: bytes) -> None:
        site, start = self.served, self._start()
        if start > len(content):
            self._head(416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"})
            return
        headers = {"Content-Length": str(len(content) - start)} if site.length and not site.chunked else {}
        if site.chunked:
            headers["Transfer-Encoding"] = "chunked"
        if site.etag is not None:
            headers["ETag"] = site.etag
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._head(206 if start else 200, headers)
        body = _as_chunks(content[start:]) if site.chunked else content[start:]
        if site.stalls_after is not None:
            self.wfile.write(body[: site.stalls_after])
            self.wfile.flush()
            site.goes_on.wait()
            body = body[site.stalls_after :]
        self.wfile.write(body[: site.breaks.pop(0)] if site.breaks else body)

    def _start(self) -> int:
        asked, version = self.headers["Range"], self.headers["If-Range"]
        if asked is None or not self.served.ranges or version not in {None, self.served.etag}:
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def _as_chunks(body: bytes) -> bytes:
    pieces = [body[index : index + 1000] for index in range(0, len(body), 1000)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))


def left_in(folder: Path) -> list[str]:
    """The names of all files of `folder`, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())
