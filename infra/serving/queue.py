"""Questions of many clients, answered together as far as they wait together."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from infra.serving.answering import BestAnswer
from infra.systems.free_question import FreeQuestion

AnswerBatch = Callable[[Sequence[FreeQuestion]], list[BestAnswer]]

MOST_WAITING = 64
"""At most so many questions wait; more are refused."""
BATCH_SIZE = 16
"""At most so many questions are answered as one batch."""


class Busy(Exception):
    """Too many questions wait."""


class _QueueEntry(NamedTuple):
    question: FreeQuestion
    answer: "asyncio.Future[BestAnswer]"


class Questions:
    """The queue between the clients and the engine, which answers one batch after another."""

    def __init__(self, answer: AnswerBatch) -> None:
        """`answer` blocks, so it is called in a thread."""
        self._answer = answer
        self._queue: asyncio.Queue[_QueueEntry] = asyncio.Queue(MOST_WAITING)

    async def ask(self, question: FreeQuestion) -> BestAnswer:
        """Wait for the answer to `question`.

        Raises:
            Busy: too many wait.
            Exception: what `answer` raised for this question.

        """
        entry = _QueueEntry(question, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(entry)
        except asyncio.QueueFull:
            raise Busy from None
        return await entry.answer

    async def work(self) -> None:
        """Answer for ever: whatever waits, up to `BATCH_SIZE`, as one batch."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < BATCH_SIZE and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._serve([entry for entry in batch if not entry.answer.cancelled()])

    async def _serve(self, batch: list[_QueueEntry]) -> None:
        if not batch:
            return
        try:
            answers = await asyncio.to_thread(self._answer, [entry.question for entry in batch])
        except Exception as error:
            if len(batch) > 1:  # one question that can't be asked must not fail the others
                for entry in batch:
                    await self._serve([entry])
            elif not batch[0].answer.done():
                batch[0].answer.set_exception(error)
            return
        for entry, answer in zip(batch, answers, strict=True):
            if not entry.answer.done():
                entry.answer.set_result(answer)
