"""The endpoint: OpenAI's chat completions, as far as one question and one answer go."""

import asyncio
import hmac
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from infra.serving.answering import Answerer, BestAnswer
from infra.serving.chat_request import BadRequest, parse_chat_request
from infra.serving.queue import Busy, Questions
from infra.systems.free_question import FreeQuestion
from swarm.errors import EvaluationError, InputError

LARGEST_BODY = 256 * 1024
"""Bytes of a request."""
BODY_SECONDS = 10
"""A body that takes longer to arrive is given up."""
LONGEST_MESSAGE = 500
"""Characters of an error's message, which may quote what a client sent."""

_HOST = re.compile(r"(?:\[(?P<address>[0-9a-fA-F:.]+)\]|(?P<name>[^\s:/@\[\]]+))(?::[0-9]{1,5})?")
"""A name or an address, and perhaps a port (RFC 9110, section 7.2)."""

logger = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[JSONResponse]]


def make_app(answerer: Answerer, key: SecretStr | None, hosts: frozenset[str] | None) -> FastAPI:
    """Return the endpoint that answers with `answerer`.

    Args:
        answerer: who answers.
        key: what every client must send as its bearer token; None lets everybody in.
        hosts: the names under which the endpoint may be asked for; None: any. On the loopback interface this keeps
            web pages out that a browser on this machine shows, even if their names are made to lead here.

    """
    questions = Questions(answerer.answer)
    model = answerer.best.run

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        worker = asyncio.create_task(questions.work())
        yield
        await asyncio.to_thread(answerer.close)
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/v1/models")
    async def models(request: Request) -> JSONResponse:
        _admit(request, key, hosts)
        return JSONResponse({"object": "list", "data": [{"id": model, "object": "model", "owned_by": "model-swarms"}]})

    @app.post("/v1/chat/completions")
    async def chat_completions(request: Request) -> JSONResponse:
        _admit(request, key, hosts)
        chat_request = parse_chat_request(await _body(request), model)
        question = answerer.question(chat_request.text, chat_request.system, chat_request.max_tokens, chat_request.stop)
        return JSONResponse(_completion(await _ask_while_connected(request, questions, question), model))

    app.add_exception_handler(Exception, _error_response)
    for kind in (BadRequest, InputError, Busy, EvaluationError, HTTPException, ClientDisconnect):
        app.add_exception_handler(kind, _error_response)
    return app


def _admit(request: Request, key: SecretStr | None, hosts: frozenset[str] | None) -> None:
    """Let a request in, or raise `BadRequest`."""
    if hosts is not None and _host_name(request) not in hosts:
        raise BadRequest("this endpoint is asked for under another name than its own", None, 403)
    if key is not None:
        header = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(header, f"Bearer {key.get_secret_value()}".encode()):
            raise BadRequest("the key is missing or wrong: send it as: Authorization: Bearer KEY", None, 401)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if request.method == "POST" and kind != "application/json":  # what no form of a web page can send
        raise BadRequest(f"the content type must be application/json, not {kind!r}", None, 415)
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise BadRequest("the body must be sent as it is, without a content encoding", None, 415)


def _host_name(request: Request) -> str | None:
    """Return the name under which the endpoint is asked, or None if the header is missing or holds no name."""
    parts = _HOST.fullmatch(request.headers.get("host", ""))
    return parts and (parts["address"] or parts["name"]).lower()


async def _body(request: Request) -> bytes:
    """Return the body of `request`, read no further than it may be long."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST_BODY:
                    raise BadRequest(f"the body is larger than {LARGEST_BODY} bytes", None, 413)
    except TimeoutError:
        raise BadRequest(f"the body did not arrive within {BODY_SECONDS} seconds", None, 408) from None
    return bytes(body)


async def _ask_while_connected(request: Request, questions: Questions, question: FreeQuestion) -> BestAnswer:
    """Return the answer to `question`, which is dropped if its client leaves before the engine has it.

    Raises:
        ClientDisconnect: the client left.
        Exception: see `Questions.ask`.

    """
    answer = asyncio.create_task(questions.ask(question))
    departure = asyncio.ensure_future(request.receive())  # nothing but the end is left to be received
    try:
        await asyncio.wait((answer, departure), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise ClientDisconnect
        return await answer
    finally:
        answer.cancel()
        departure.cancel()


def _completion(answer: BestAnswer, model: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": answer.answer},
                "logprobs": None,
                "finish_reason": "length" if answer.is_cut else "stop",
            }
        ],
    }


async def _error_response(request: Request, error: Exception) -> JSONResponse:
    """Return `error` as OpenAI's clients read it; what nobody foresaw is logged and not shown."""
    match error:
        case BadRequest():
            status, message, param = error.status, str(error), error.param
        case InputError():
            status, message, param = 400, str(error), None
        case Busy():
            status, message, param = 429, "too many questions wait: ask again in a moment", None
        case ClientDisconnect():
            logger.warning("a client left before its answer")
            status, message, param = 499, "the client left", None
        case HTTPException():
            status, message, param = error.status_code, f"{request.url.path}: {error.detail}", None
        case _:
            logger.error("could not answer", exc_info=error)
            status, message, param = 500, "the model could not answer", None
    kind = "invalid_request_error" if status < 500 else "server_error"
    message = message[:LONGEST_MESSAGE].encode(errors="backslashreplace").decode()  # half characters, too, are quoted
    return JSONResponse({"error": {"message": message, "type": kind, "param": param, "code": None}}, status)
