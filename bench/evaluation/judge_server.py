"""A judge on this machine: OpenAI's chat completions over the transformers engine, on loopback only.

python -m bench.evaluation.judge_server [--model smollm2-135m-instruct] [--port 8000]

It answers greedily and prints the variable to set:

    SWARM_JUDGE_URL=http://127.0.0.1:8000/v1 swarm run search.yaml

`judge_server()` is the same for scripts. A small model is a poor judge: this is for trying things out.
"""

import argparse
import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

from data.prompts import Chat
from data.requests import Completion, Generate
from experts.base_models import PACKAGED, BaseModel, chat_template, resolve_base_model
from experts.basis import FullBasis
from infra.engines.base import Engine
from infra.engines.config import EngineConfig
from infra.engines.kinds import open_engine
from infra.settings import Settings
from swarm.recipes import BASE, Recipe, Space

ITSELF = Recipe((BASE,), (1.0,), Space.FACTORS)


Waiting = tuple[Generate, "Future[Completion]"]


class Conversations:
    """Continues conversations with a base model: all that wait, at once."""

    def __init__(self, base: BaseModel, engine: Engine) -> None:
        self.name = base.name
        self._chat: Chat = chat_template(base)
        self._engine = engine
        self._turn = threading.Lock()
        self._waiting: Queue[Waiting] = Queue()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the completion of a request, as OpenAI's protocol has it."""
        messages = [{"role": str(each["role"]), "content": str(each["content"])} for each in request["messages"]]
        completion = self._completed(Generate(self._chat(messages), int(request.get("max_tokens") or 20)))
        message = {"role": "assistant", "content": completion.text}
        return {
            "object": "chat.completion",
            "model": self.name,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 0, "completion_tokens": completion.tokens, "total_tokens": completion.tokens},
        }

    def _completed(self, request: Generate) -> Completion:
        future: Future[Completion] = Future()
        self._waiting.put((request, future))
        with self._turn:  # whose turn it is answers for everybody who waits by then
            self._answer_all([self._waiting.get() for _ in range(self._waiting.qsize())])
        return future.result()

    def _answer_all(self, waiting: list[Waiting]) -> None:
        if not waiting:
            return
        try:
            [found] = self._engine.run([ITSELF], [[request for request, _ in waiting]])
        except Exception as error:  # one of them is too long, say: it alone fails
            if len(waiting) == 1:
                waiting[0][1].set_exception(error)
            else:
                for each in waiting:
                    self._answer_all([each])
            return
        for (_, future), completion in zip(waiting, found, strict=True):
            assert isinstance(completion, Completion)
            future.set_result(completion)


@contextmanager
def judge_server(base: BaseModel, config: EngineConfig, port: int = 0) -> Iterator[str]:
    """Serve `base` on loopback while the block lasts; give the address that SWARM_JUDGE_URL names."""
    with closing(open_engine(config, base, FullBasis((), (), (), base))) as engine:
        conversations = Conversations(base, engine)

        class Handler(_Handler):
            served = conversations

        with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.1,))
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/v1"
            finally:
                server.shutdown()
                thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: Conversations

    def do_POST(self) -> None:
        try:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = self.served.answer(body) if self.path == "/v1/chat/completions" else None
        except (ValueError, KeyError, TypeError) as error:
            self._send(400, {"error": {"message": f"{type(error).__name__}: {error}"}})
            return
        self._send(*((200, answer) if answer is not None else (404, {"error": {"message": "no such path"}})))

    def _send(self, status: int, value: dict[str, Any]) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=PACKAGED, help="a base model: a folder, a hub id, or the packaged one")
    parser.add_argument("--port", type=int, default=8000)
    given = parser.parse_args()
    base = resolve_base_model(given.model, Settings().cache)
    with judge_server(base, EngineConfig(), given.port) as url:
        print(f"SWARM_JUDGE_URL={url}", flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
