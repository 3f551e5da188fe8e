"""A real HTTP server on loopback that speaks two protocols: OpenAI's chat completions, and the Perspective API's."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def rating_by_length(prompt: str) -> str:
    """Rate by the length of what is judged, so that different answers get different ratings."""
    return f"Rating: {1 + len(prompt) % 10}/10. It is so long."


def toxicity_by_letters(text: str) -> float:
    return text.count("a") / max(1, len(text))


@dataclass
class RatingService:
    """What the server does.

    `reply` says what a judge answers to a conversation's last message. `faults` are what becomes of the next requests:
    a status, a body as text, or seconds to wait; `broken` is the fault of all of them, and after `broken_after`
    requests all get a 500. `seen` has the body of every request, `keys` its headers' keys; refusals repeat the key, as
    some services do.
    """

    url: str = ""
    reply: Callable[[str], str] = rating_by_length
    toxicity: Callable[[str], float] = toxicity_by_letters
    faults: list[int | str | float] = field(default_factory=list)
    broken: int | str | float | None = None
    broken_after: int | None = None
    retry_after: str = "0"
    seen: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def asked(self) -> list[str]:
        """The last message of every conversation."""
        return [body["messages"][-1]["content"] for body in self.seen]


@contextmanager
def rating_service(**settings: Any) -> Iterator[RatingService]:
    """Serve until the block ends."""
    service = RatingService(**settings)

    class Handler(_Handler):
        served = service

    with _Server(("127.0.0.1", 0), Handler) as server:
        service.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # clients that go away are what is tested


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: RatingService

    def do_POST(self) -> None:
        service = self.served
        with service.lock:
            service.at_once += 1
            service.most_at_once = max(service.most_at_once, service.at_once)
        try:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        finally:
            with service.lock:
                service.at_once -= 1

    def _answer(self, body: dict[str, Any]) -> None:
        service = self.served
        key = self.headers["Authorization"] or self.headers["X-Goog-Api-Key"]
        with service.lock:
            service.seen.append(body)
            service.keys.append(key)
            fault = service.faults.pop(0) if service.faults else service.broken
            if service.broken_after is not None and len(service.seen) > service.broken_after:
                fault = 500
        if isinstance(fault, float):
            time.sleep(fault)
        if isinstance(fault, int):
            self._send(fault, json.dumps({"error": {"message": f"no, not with {key}"}}))
        elif isinstance(fault, str):
            self._send(200, fault)
        elif self.path == "/v1/chat/completions":
            self._send(200, json.dumps(self._completion(body)))
        elif self.path == "/v1alpha1/comments:analyze":
            self._send(200, json.dumps(self._analysis(body)))
        else:
            self._send(404, "{}")

    def _completion(self, body: dict[str, Any]) -> dict[str, Any]:
        text = self.served.reply(body["messages"][-1]["content"])
        message = {"role": "assistant", "content": text}
        return {
            "object": "chat.completion",
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
        }

    def _analysis(self, body: dict[str, Any]) -> dict[str, Any]:
        score = {"value": self.served.toxicity(body["comment"]["text"]), "type": "PROBABILITY"}
        return {"attributeScores": {"TOXICITY": {"summaryScore": score}}, "languages": body["languages"]}

    def _send(self, status: int, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if status != 200:
            self.send_header("Retry-After", self.served.retry_after)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass
