"""The endpoint as a real server on loopback, and clients that don't keep to the rules."""

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.serving.answering import BestAnswer
from infra.serving.app import LARGEST_BODY, make_app
from infra.serving.connections import ArrivingRequests
from infra.serving.server import make_server
from infra.systems.free_question import FreeQuestion, QuestionFormat

QUESTION_FORMAT = QuestionFormat(
    prompt="raw", template="{question}", system=None, icl_prompt="", worked=(), stop=(), max_new_tokens=1
)
SOON = 20
"""Seconds after which a test gives up."""
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
QUESTION = json.dumps({"model": "demo", "messages": [{"role": "user", "content": "Why?"}]}).encode()


@dataclass
class EchoAnswerer:
    """Answers each question with its text, while `go` is set."""

    go: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)
    best: Any = field(default_factory=lambda: SimpleNamespace(run="demo"))

    def question(self, text: str, system: str | None, limit: int | None, stop: tuple[str, ...]) -> FreeQuestion:
        return FreeQuestion(QUESTION_FORMAT, text, None, system, limit, stop)

    def answer(self, questions: Sequence[FreeQuestion]) -> list[BestAnswer]:
        self.asked += [question.text for question in questions]
        assert self.go.wait(SOON)
        return [BestAnswer(question.text, (), 1, False) for question in questions]

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Endpoint:
    answerer: EchoAnswerer
    port: int

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=SOON)

    def post(self, content: bytes = QUESTION, **headers: str) -> httpx.Response:
        headers = {
            "content-type": "application/json",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        url = f"http://127.0.0.1:{self.port}/v1/chat/completions"
        return httpx.post(url, content=content, headers=headers, timeout=SOON, trust_env=False)

    def send(self, raw: bytes) -> bytes:
        """Return what the server answers to `raw`, up to the end of the connection."""
        with closing(self.connect()) as client:
            try:
                client.sendall(raw)
                client.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: client.recv(65536), b""))
            except ConnectionError:
                return b""


@contextmanager
def running(seconds: float, most: int = 256) -> Iterator[Endpoint]:
    answerer = EchoAnswerer()
    answerer.go.set()
    server = make_server(
        make_app(answerer, None, frozenset({"127.0.0.1"})),  # type: ignore[arg-type]
        ArrivingRequests(seconds, most),
    )
    with closing(socket.create_server(("127.0.0.1", 0), backlog=512)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Endpoint(answerer, listener.getsockname()[1])
        finally:
            answerer.go.set()
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def patient() -> Iterator[Endpoint]:
    """An endpoint whose clients may take long."""
    with running(seconds=60) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def hasty() -> Iterator[Endpoint]:
    with running(seconds=0.5) as endpoint:
        yield endpoint


SENT = {
    "nothing": b"",
    "half a head": HEAD + b"x-more: ",
    "half a body": HEAD + b"content-length: 100\r\n\r\n{",
    "half a chunk": HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\n{",
}


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
def test_those_who_send_no_whole_request_shut_nobody_out(patient: Endpoint, sent: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(closing(patient.connect())).sendall(sent)
        assert patient.post().status_code == 200


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
def test_a_request_that_does_not_arrive_is_given_up_however_it_drips(hasty: Endpoint, sent: bytes) -> None:
    with closing(hasty.connect()) as client:
        client.sendall(sent)
        client.settimeout(0.05)
        for _ in range(200):
            try:
                if client.recv(4096) == b"":
                    break
            except TimeoutError:
                _drip(client, sent)
            except ConnectionError:
                break
        else:
            pytest.fail("the connection is still open")


def _drip(client: socket.socket, sent: bytes) -> None:
    if sent:
        with suppress(ConnectionError):
            client.sendall(b" ")


def test_who_waits_for_an_answer_is_not_given_up(hasty: Endpoint) -> None:
    hasty.answerer.go.clear()
    release = threading.Timer(1.5, hasty.answerer.go.set)
    release.start()
    assert hasty.post().status_code == 200
    release.join()


def test_a_client_that_leaves_is_one_line_and_its_question_is_dropped(
    patient: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    answerer = patient.answerer
    answerer.go.clear()
    answerer.asked.clear()
    caplog.set_level(logging.WARNING)
    with closing(patient.connect()) as holder:  # its question keeps the engine busy
        _ask(holder, "first")
        _until(lambda: answerer.asked == ["first"])
        with closing(patient.connect()) as leaving:
            _ask(leaving, "left behind")
            with closing(patient.connect()) as half:
                half.sendall(HEAD + b"content-length: 100\r\n\r\n{")
                time.sleep(0.2)
        _until(lambda: len(caplog.records) == 2)
        answerer.go.set()
        assert holder.recv(15) == b"HTTP/1.1 200 OK"
    assert patient.post().status_code == 200
    assert answerer.asked == ["first", "Why?"]
    assert [record.getMessage() for record in caplog.records] == ["a client left before its answer"] * 2
    assert not any(record.exc_info for record in caplog.records)


def _ask(client: socket.socket, text: str) -> None:
    body = QUESTION.replace(b"Why?", text.encode())
    client.sendall(HEAD + f"content-length: {len(body)}\r\n\r\n".encode() + body)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


DEEP = b'{"model": "demo", "messages": ' + b"[" * 900 + b"]" * 900 + b"}"
BODIES = {
    "no JSON": b"{",
    "no object": b"[]",
    "nothing": b"",
    "no UTF-8": b'{"model": "\xff"}',
    "NUL": b"\x00",
    "deep": DEEP,
    "a deep role": QUESTION.replace(b'"user"', b"[" * 500 + b"]" * 500),
    "a huge number": QUESTION.replace(b"{", b'{"max_tokens": ' + b"9" * 5000 + b", ", 1),
    "a number of 4000 digits": QUESTION.replace(b"{", b'{"max_tokens": ' + b"9" * 4000 + b", ", 1),
    "infinite": QUESTION.replace(b"{", b'{"max_tokens": 1e999, ', 1),
    "not a number": QUESTION.replace(b"{", b'{"temperature": NaN, ', 1),
    "a surrogate in a field": QUESTION.replace(b"{", b'{"\\ud800": 1, ', 1),
    "a surrogate in a role": QUESTION.replace(b"user", b"\\ud800"),
    "a surrogate in a model": QUESTION.replace(b"demo", b"\\ud800"),
    "a surrogate as stop": QUESTION.replace(b"{", b'{"stop": "\\ud800", ', 1),
    "an unknown field": QUESTION.replace(b"{", b'{"more": 1, ', 1),
    "too long": b" " * (LARGEST_BODY + 1),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_bad_body_is_refused_as_openai_does(patient: Endpoint, body: bytes) -> None:
    _refused(patient.post(body))


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "text/plain"},
        {"content_type": ""},
        {"content_encoding": "gzip"},
        {"host": "evil.example"},
        {"host": "["},
        {"host": "127.0.0.1:port"},
        {"host": "127.0.0.1@evil.example"},
    ],
)
def test_bad_headers_are_refused_as_openai_does(patient: Endpoint, headers: dict[str, str]) -> None:
    _refused(patient.post(**headers))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "NONSENSE"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/%00", "/v1/%ff%ed%a0%80", "/../x"])
def test_other_methods_and_paths_are_refused_as_openai_does(patient: Endpoint, method: str, path: str) -> None:
    _refused(httpx.request(method, f"http://127.0.0.1:{patient.port}{path}", timeout=SOON, trust_env=False))


def _refused(reply: httpx.Response) -> None:
    assert 400 <= reply.status_code < 500
    error = reply.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert 0 < len(error["message"]) <= 600


PIECES = st.sampled_from(
    [
        *(
            HEAD,
            QUESTION,
            b"\r\n",
            b"\r\n\r\n",
            b"\x00",
            b"\xff",
            b"GET /v1/models HTTP/1.1\r\n",
            b"HTTP/9.9",
            b"{",
            b"[",
        ),
        *(b"content-length: 3\r\n", b"content-length: -1\r\n", b"content-length: 99999999999999999999\r\n"),
        *(b"transfer-encoding: chunked\r\n", b"transfer-encoding: gzip\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n", b"zz\r\n"),
        *(b"expect: 100-continue\r\n", b"upgrade: websocket\r\nconnection: upgrade\r\n", b"upgrade: h2c\r\n"),
        *(b"host: [\r\n", b"host: a b\r\n", b": x\r\n", b" folded\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        *(b"GET http://[/ HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"),
        b"content-length: %d\r\n\r\n" % len(QUESTION),
    ]
)


@settings(max_examples=200, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES | st.binary(max_size=40), max_size=8).map(b"".join))
def test_no_bytes_give_a_fault_of_the_server(patient: Endpoint, caplog: pytest.LogCaptureFixture, raw: bytes) -> None:
    assert b"HTTP/1.1 5" not in patient.send(raw)
    assert not [record for record in caplog.records if record.exc_info]


def test_the_server_lives_after_all_that(patient: Endpoint) -> None:
    assert patient.post().status_code == 200
