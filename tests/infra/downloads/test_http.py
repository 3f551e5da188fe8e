"""HTTP as downloads use it, against a server that answers with the bytes it is given."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from infra.downloads.http import DownloadInterrupted, DownloadRefused, RangeRefused, read_body, read_head, request_file
from tests.file_server import serving

PATIENCE = 5.0
EMPTY = b"Content-Length: 0\r\n\r\n"


@dataclass
class CannedServer:
    """Where the server is, and the heads of the requests that it got."""

    url: str = ""
    requests: list[str] = field(default_factory=list)


@contextmanager
def canned(*responses: bytes) -> Iterator[CannedServer]:
    """Answer one connection after another with the `responses`, and close each."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = CannedServer(f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread = threading.Thread(target=_answer, args=(listener, responses, server.requests))
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _answer(listener: socket.socket, responses: Sequence[bytes], requests: list[str]) -> None:
    for response in responses:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            requests.append(connection.recv(1 << 16).decode("latin-1"))
            connection.sendall(response)


def body(url: str, start: int = 0, validator: str | None = None) -> bytes:
    with request_file(url, PATIENCE, start, validator) as response:
        return b"".join(read_body(response))


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme.upper()}_PROXY", raising=False)


def test_a_request_says_what_it_wants_and_nothing_of_the_user() -> None:
    with canned(b"HTTP/1.1 200 OK\r\n" + EMPTY) as server:
        body(f"{server.url}/folder/file?key=a%20b", 5, '"v\xe9"')
    host = server.url.removeprefix("http://")
    first, *headers = server.requests[0].removesuffix("\r\n\r\n").split("\r\n")
    assert first == "GET /folder/file?key=a%20b HTTP/1.1"
    assert sorted(headers) == [
        "Accept-Encoding: identity",
        "Connection: close",
        f"Host: {host}",
        'If-Range: "v\xe9"',
        "Range: bytes=5-",
        "User-Agent: model-swarms",
    ]


def test_a_version_is_named_by_a_strong_tag_only_and_read_as_it_came() -> None:
    with canned(*(b"HTTP/1.1 200 OK\r\nETag: %b\r\n%b" % (tag, EMPTY) for tag in (b'"v\xe9"', b'W/"v"'))) as server:
        validators = []
        for _ in range(2):
            with request_file(server.url, PATIENCE) as response:
                validators.append(read_head(response, 0).validator)
    assert validators == ['"v\xe9"', None]


def test_cookies_of_a_redirection_are_not_sent_on() -> None:
    away = b"HTTP/1.1 302 Found\r\nSet-Cookie: user=me; Path=/\r\nLocation: /there\r\n" + EMPTY
    with canned(away, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as server:
        assert body(server.url) == b"ok"
    assert "cookie" not in server.requests[1].lower()


def test_an_encoded_body_is_refused_and_not_decoded() -> None:
    with (
        canned(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + EMPTY) as server,
        request_file(server.url, PATIENCE) as response,
        pytest.raises(DownloadRefused, match=r"^the server sends it encoded as gzip$"),
    ):
        read_head(response, 0)


@pytest.mark.parametrize("content_range", [b"bytes 4-9/10", b"bytes */10", b"5-9/10"])
def test_another_range_than_was_asked_for_is_refused(content_range: bytes) -> None:
    with (
        canned(b"HTTP/1.1 206 Partial Content\r\nContent-Range: %b\r\n%b" % (content_range, EMPTY)) as server,
        request_file(server.url, PATIENCE, 5) as response,
        pytest.raises(DownloadRefused, match=r"where bytes from 5 on were asked for$"),
    ):
        read_head(response, 5)


@pytest.mark.parametrize(
    ("status", "kind", "wait"),
    [
        ("429 Too Many Requests\r\nRetry-After: 7", DownloadInterrupted, 7.0),
        ("503 Service Unavailable\r\nRetry-After: Wed, 21 Oct 2015 07:28:00 GMT", DownloadInterrupted, 0.0),
        ("416 Requested Range Not Satisfiable", RangeRefused, 0.0),
        ("404 Not Found", DownloadRefused, None),
        ("304 Not Modified", DownloadRefused, None),
        ("302 Found", DownloadRefused, None),
    ],
)
def test_what_a_refusal_means(status: str, kind: type[Exception], wait: float | None) -> None:
    with canned(f"HTTP/1.1 {status}\r\n".encode() + EMPTY) as server, pytest.raises(kind) as error:
        body(server.url)
    assert type(error.value) is kind
    assert getattr(error.value, "wait", None) == wait


@pytest.mark.parametrize(("steps", "allowed"), [(10, True), (11, False)])
def test_ten_redirections_are_followed_and_no_more(steps: int, allowed: bool) -> None:
    redirects = {f"/{step}": f"/{step - 1}" for step in range(1, steps + 1)}
    with serving(files={"/0": b"there"}, redirects=redirects) as site:
        if allowed:
            assert body(f"{site.url}/{steps}") == b"there"
        else:
            with pytest.raises(DownloadRefused, match=r"^it is redirected in a circle"):
                body(f"{site.url}/{steps}")


def test_a_circle_is_left_after_four_rounds() -> None:
    with serving(redirects={"/circle": "/circle"}) as site:
        with pytest.raises(DownloadRefused, match=r"^it is redirected in a circle"):
            body(f"{site.url}/circle")
        assert len(site.asked) == 5


REFUSALS = {
    httpx.LocalProtocolError: "it is no valid address: check it",
    httpx.UnsupportedProtocol: "it is no valid address: check it",
    httpx.DecodingError: "it is no valid address: check it",
    httpx.TooManyRedirects: "it is no valid address: check it",
}
INTERRUPTIONS = (
    httpx.ConnectTimeout,
    httpx.ReadTimeout,
    httpx.WriteTimeout,
    httpx.PoolTimeout,
    httpx.ConnectError,
    httpx.ReadError,
    httpx.WriteError,
    httpx.CloseError,
    httpx.RemoteProtocolError,
    httpx.ProxyError,
)


def leaves(kind: type) -> set[type]:
    return set().union(*map(leaves, kind.__subclasses__())) if kind.__subclasses__() else {kind}


def test_every_error_of_a_request_is_known_here() -> None:
    assert leaves(httpx.RequestError) == {*REFUSALS, *INTERRUPTIONS}


@pytest.mark.parametrize("kind", [*REFUSALS, *INTERRUPTIONS])
def test_what_an_error_of_a_request_means(kind: type[httpx.RequestError], monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*arguments: object) -> None:
        raise kind("why")

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", failing)
    with pytest.raises(DownloadRefused if kind in REFUSALS else DownloadInterrupted) as error:
        body("http://127.0.0.1/file")
    reason = "the proxy answers why" if kind is httpx.ProxyError else "why"
    assert str(error.value) == REFUSALS.get(kind, f"the connection failed ({reason})")


@pytest.mark.parametrize(
    ("number", "kind"), [(socket.EAI_NONAME, DownloadRefused), (socket.EAI_AGAIN, DownloadInterrupted)]
)
def test_a_host_that_nobody_knows_is_not_looked_up_again(
    number: int, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*arguments: object, **options: object) -> None:
        raise socket.gaierror(number, "no answer")

    monkeypatch.setattr(socket, "create_connection", failing)
    with pytest.raises(kind):
        body("https://example.org/file")


@pytest.mark.parametrize("url", ["https://127.0.0.1:99999/x", "https://example.org:port/x", "https://ex..org/x"])
def test_an_address_that_nothing_can_be_connected_to_is_refused(url: str) -> None:
    with pytest.raises(DownloadRefused, match=r"^it is no valid address: check it$"):
        body(url)


def test_only_https_goes_through_the_proxy_of_https(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("http", "all"):
        monkeypatch.setenv(f"{scheme}_proxy", "http://127.0.0.1:9")
    with serving(files={"/file": b"direct"}) as site, canned(b"HTTP/1.1 407 Log In\r\n" + EMPTY) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url.replace("//", "//user:word@"))
        assert body(f"{site.url}/file") == b"direct"
        assert proxy.requests == []
        with pytest.raises(DownloadInterrupted, match=r"^the connection failed \(the proxy answers 407 Log In\)$"):
            body("https://example.org/file")
    first, *headers = proxy.requests[0].split("\r\n")
    assert first == "CONNECT example.org:443 HTTP/1.1"
    assert "Proxy-Authorization: Basic dXNlcjp3b3Jk" in headers


def test_a_host_of_no_proxy_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with canned(b"no TLS here") as server, canned() as proxy:
        monkeypatch.setenv("https_proxy", proxy.url.removeprefix("http://"))
        with pytest.raises(DownloadInterrupted):
            body(server.url.replace("http:", "https:"))
    assert len(server.requests) == 1
    assert proxy.requests == []


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "http://", "http://proxy:port"])
def test_a_proxy_that_cannot_be_used_is_named(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(DownloadRefused, match="HTTPS_PROXY"):
        body("https://example.org/file")
