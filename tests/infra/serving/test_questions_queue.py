"""The queue between clients and the engine."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from infra.serving.answering import BestAnswer
from infra.serving.queue import BATCH_SIZE, MOST_WAITING, Busy, Questions
from infra.systems.free_question import FreeQuestion, QuestionFormat
from swarm.errors import InputError

QUESTION_FORMAT = QuestionFormat(
    prompt="raw", template="{question}", system=None, icl_prompt="", worked=(), stop=(), max_new_tokens=1
)


def question(text: str) -> FreeQuestion:
    return FreeQuestion(QUESTION_FORMAT, text, None)


class HeldAnswerer:
    """Answers each question with its text, once it is let go; "bad" can't be asked."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.batches: list[list[str]] = []

    def __call__(self, questions: Sequence[FreeQuestion]) -> list[BestAnswer]:
        self.go.wait()
        self.batches.append([item.text for item in questions])
        if any(item.text == "bad" for item in questions):
            raise InputError("it can't be asked")
        return [BestAnswer(item.text, (), 1, False) for item in questions]


def test_what_waits_is_answered_together_and_each_gets_its_own_answer() -> None:
    answerer = HeldAnswerer()

    async def scenario() -> list[BestAnswer]:
        questions = Questions(answerer)
        working = asyncio.create_task(questions.work())
        asked = [asyncio.create_task(questions.ask(question(str(i)))) for i in range(BATCH_SIZE + 3)]
        await asyncio.sleep(0)
        answerer.go.set()
        answers = await asyncio.gather(*asked)
        working.cancel()
        return list(answers)

    assert [item.answer for item in asyncio.run(scenario())] == [str(i) for i in range(BATCH_SIZE + 3)]
    assert max(map(len, answerer.batches)) == BATCH_SIZE and sum(map(len, answerer.batches)) == BATCH_SIZE + 3


def test_a_question_that_can_t_be_asked_fails_alone() -> None:
    answerer = HeldAnswerer()
    answerer.go.set()

    async def scenario() -> list[object]:
        questions = Questions(answerer)
        asked = [asyncio.create_task(questions.ask(question(text))) for text in ("one", "bad", "two")]
        await asyncio.sleep(0)
        working = asyncio.create_task(questions.work())
        answers = await asyncio.gather(*asked, return_exceptions=True)
        working.cancel()
        return list(answers)

    one, bad, two = asyncio.run(scenario())
    assert (one.answer, two.answer) == ("one", "two")  # type: ignore[attr-defined]
    assert isinstance(bad, InputError)


def test_more_than_can_wait_are_refused() -> None:
    async def scenario() -> None:
        questions = Questions(HeldAnswerer())
        asked = [asyncio.create_task(questions.ask(question(str(i)))) for i in range(MOST_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await questions.ask(question("one more"))
        for item in asked:
            item.cancel()

    asyncio.run(scenario())


def test_a_client_that_went_away_is_not_answered() -> None:
    answerer = HeldAnswerer()
    answerer.go.set()

    async def scenario() -> None:
        questions = Questions(answerer)
        gone, stays = (asyncio.create_task(questions.ask(question(text))) for text in ("gone", "stays"))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        working = asyncio.create_task(questions.work())
        await stays
        working.cancel()

    asyncio.run(scenario())
    assert answerer.batches == [["stays"]]
