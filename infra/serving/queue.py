"""Questions of many clients, answered together as far as they wait together."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from infra.serving.answering import Answered
from infra.systems.asking import FreeQuestion

Answer = Callable[[Sequence[FreeQuestion]], list[Answered]]

WAITING = 64
"""More questions than these are refused, until some are answered."""
TOGETHER = 16
"""So many are answered as one batch."""


class Busy(Exception):
    """Too many questions wait."""


class _Waiting(NamedTuple):
    question: FreeQuestion
    answer: "asyncio.Future[Answered]"


class Questions:
    """The queue between the clients and the engine, which answers one batch after another."""

    def __init__(self, answer: Answer) -> None:
        """`answer` blocks, so it is called in a thread."""
        self._answer = answer
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(WAITING)

    async def ask(self, question: FreeQuestion) -> Answered:
        """Wait for the answer to `question`.

        Raises:
            Busy: too many wait.
            Exception: what `answer` raised for this question.

        """
        waiting = _Waiting(question, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(waiting)
        except asyncio.QueueFull:
            raise Busy from None
        return await waiting.answer

    async def work(self) -> None:
        """Answer for ever: whatever waits, up to `TOGETHER`, as one batch."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < TOGETHER and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._serve([waiting for waiting in batch if not waiting.answer.cancelled()])

    async def _serve(self, batch: list[_Waiting]) -> None:
        if not batch:
            return
        try:
            answers = await asyncio.to_thread(self._answer, [waiting.question for waiting in batch])
        except Exception as error:
            if len(batch) > 1:  # one question that can't be asked must not fail the others
                for waiting in batch:
                    await self._serve([waiting])
            elif not batch[0].answer.done():
                batch[0].answer.set_exception(error)
            return
        for waiting, answered in zip(batch, answers, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(answered)
