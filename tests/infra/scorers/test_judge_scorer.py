import json
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from data.outside import Item, Judge, Rating
from infra.engines.host import EvaluationInterrupted
from infra.scorers.judge import JudgeScorer, judge_prompt, parse_rating
from infra.scorers.stop import Stop
from infra.settings import Settings
from swarm.errors import EvaluationError, InputError
from tests.rating_server import RatingService

JUDGE = Judge(model="judge-1", asks="quality")
HELLO = Item("Say hello.", "Hello {question}!", "Hello!")


@pytest.fixture
def stop() -> Stop:
    return Stop()


@pytest.fixture
def judge(settings: Settings, stop: Stop) -> Iterator[JudgeScorer]:
    scorer = JudgeScorer(JUDGE, settings, stop)
    yield scorer
    stop.ask()
    scorer.close()


def rate(scorer: JudgeScorer, *items: Item) -> list[Rating]:
    return scorer.score(items, lambda done, total: None)


@pytest.mark.parametrize(
    ("reply", "rating"),
    [
        ("Rating: 7/10\nIt is good.", 7.0),
        ("Rating: 10/10", 10.0),
        ("**Rating:** 8 / 10", 8.0),
        ("rating: 7.5/10", 7.5),
        ("My Rating is: none. Rating: 3/10", 3.0),
        ("Rating: ?/10", None),
        ("Rating: 0/10", None),
        ("Rating: 11/10", None),
        ("Rating: 7/100", None),
        ("7/10", None),
        ("Rating: 0/10, or rather Rating: 2/10", 2.0),
        ("", None),
    ],
)
def test_a_rating_is_read_as_it_was_asked_for(reply: str, rating: float | None) -> None:
    assert parse_rating(reply) == rating


def test_the_judge_is_asked_in_the_papers_words_and_answers_are_data() -> None:
    assert judge_prompt(JUDGE, HELLO) == (
        "For the following instruction and response, please rate the response on a scale of 1 to 10, where 1 is the "
        'worst and 10 is the best. Please respond with "Rating: ?/10" first and then provide your reason.\n\n'
        "Instruction: Say hello.\n\nResponse: Hello {question}!"
    )
    assert judge_prompt(Judge(model="judge-1", asks="match"), HELLO) == (
        "Please evaluate how similar is the following response to the ground truth answer. Please rate the response on "
        'a scale of 1 to 10, where 1 is the worst and 10 is the best. Please respond with "Rating: ?/10" first and '
        "then provide your reason.\n\nGround truth: Hello!\n\nGenerated response: Hello {question}!"
    )


def test_what_is_sent_is_a_chat_completion_with_the_key_in_its_header(
    judge: JudgeScorer, service: RatingService
) -> None:
    service.reply = lambda prompt: "Rating: 4/10"
    assert rate(judge, HELLO) == [Rating(4.0)]
    message = {"role": "user", "content": judge_prompt(JUDGE, HELLO)}
    assert service.seen == [{"model": "judge-1", "messages": [message], "temperature": 0, "max_tokens": 20}]
    assert service.keys == ["Bearer key-of-the-judge"]


def test_ratings_are_in_the_order_of_the_items_and_no_more_requests_at_once_than_allowed(
    service: RatingService, settings: Settings, stop: Stop
) -> None:
    service.reply = lambda prompt: f"Rating: {prompt[-1]}/10"
    service.faults = [0.05] * 9
    scorer = JudgeScorer(JUDGE, settings.model_copy(update={"judge_requests": 3}), stop)
    assert rate(scorer, *[Item("?", str(n), "") for n in range(1, 10)]) == [Rating(float(n)) for n in range(1, 10)]
    assert 1 < service.most_at_once <= 3
    scorer.close()


def test_what_was_asked_once_is_not_asked_again(judge: JudgeScorer, settings: Settings, service: RatingService) -> None:
    first = rate(judge, HELLO)
    with closing(JudgeScorer(JUDGE, settings, Stop())) as later:
        assert rate(later, HELLO) == first
    assert len(service.seen) == 1
    with closing(JudgeScorer(Judge(model="judge-2", asks="quality"), settings, Stop())) as other:
        assert rate(other, HELLO) == first
    assert len(service.seen) == 2


@pytest.mark.parametrize("damage", ["", "{", '{"asked": 1, "said": {}}', '{"said": {"value": 99}}', "[]", "\xff"])
def test_a_damaged_file_of_the_cache_is_asked_for_again(
    judge: JudgeScorer, settings: Settings, service: RatingService, damage: str
) -> None:
    rate(judge, HELLO)
    [path] = settings.cache.rglob("*.json")
    path.write_text(damage, encoding="latin-1")
    rate(judge, HELLO)
    assert len(service.seen) == 2
    assert json.loads(path.read_text())["said"]["replies"] == [service.reply(judge_prompt(JUDGE, HELLO))]


@pytest.mark.parametrize("value", [99, True, "7", None])
def test_a_cached_value_that_is_no_rating_is_asked_for_again(
    judge: JudgeScorer, settings: Settings, service: RatingService, value: object
) -> None:
    rate(judge, HELLO)
    [path] = settings.cache.rglob("*.json")
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({**kept, "said": {**kept["said"], "value": value}}))
    rate(judge, HELLO)
    assert len(service.seen) == 2


def test_a_rating_that_cannot_be_read_is_asked_for_again_then_1_and_counted(
    judge: JudgeScorer, service: RatingService
) -> None:
    replies = iter(["Well.", "Rating: 6/10", "Hm.", "No.", "Never."])
    service.reply = lambda prompt: next(replies)
    assert rate(judge, HELLO) == [Rating(6.0)]
    assert [message["role"] for message in service.seen[1]["messages"]] == ["user", "assistant", "user"]
    assert service.asked()[1].startswith('Respond with "Rating: ?/10" only')
    assert rate(judge, Item("?", "!", "")) == [Rating(1.0, unparsable=True)]
    assert judge.counts() == {
        "requests": 5, "prompt_tokens": 35, "completion_tokens": 15, "ratings": 2, "unparsable": 1,
    }  # fmt: skip
    assert rate(judge, Item("?", "!", "")) == [Rating(1.0, unparsable=True)]
    assert (len(service.seen), judge.counts()["cached"]) == (5, 1)


def test_tokens_cost_what_the_settings_say(service: RatingService, settings: Settings, stop: Stop) -> None:
    prices = {"judge_prompt_price": 2.0, "judge_completion_price": 10.0}
    scorer = JudgeScorer(JUDGE, settings.model_copy(update=prices), stop)
    rate(scorer, HELLO)
    assert scorer.counts()["cost"] == pytest.approx((7 * 2 + 3 * 10) / 1e6)
    scorer.close()


@pytest.mark.parametrize(
    "fault",
    [429, 500, 503, 408, "not JSON", "[]", '{"choices": []}', '{"choices": [{"message": {"content": null}}]}', "{}"],
)
def test_what_may_pass_is_asked_again(judge: JudgeScorer, service: RatingService, fault: int | str) -> None:
    service.faults, service.reply = [fault, fault], lambda prompt: "Rating: 5/10"
    assert rate(judge, HELLO) == [Rating(5.0)]
    assert len(service.seen) == 3


def test_a_service_that_fails_for_ever_is_a_failed_evaluation(judge: JudgeScorer, service: RatingService) -> None:
    service.broken = 500
    with pytest.raises(EvaluationError) as error:
        rate(judge, HELLO)
    assert str(error.value) == f"the judge at {service.url}/v1 answered 500, 6 times in a row"
    assert len(service.seen) == 6


def test_a_slow_service_is_a_failed_evaluation(service: RatingService, settings: Settings, stop: Stop) -> None:
    service.broken = 0.5
    scorer = JudgeScorer(JUDGE, settings.model_copy(update={"judge_timeout": 0.05}), stop)
    with pytest.raises(EvaluationError, match=r"failed \(ReadTimeout\), 6 times in a row"):
        rate(scorer, HELLO)
    scorer.close()


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (401, InputError, "refuses the key (status 401): correct SWARM_JUDGE_API_KEY"),
        (403, InputError, "refuses the key (status 403): correct SWARM_JUDGE_API_KEY"),
        (404, InputError, "answers 404: correct SWARM_JUDGE_URL, or the name of the model"),
        (302, InputError, "answers 302: correct SWARM_JUDGE_URL, or the name of the model"),
        (400, EvaluationError, 'answers 400: {"error": {"message": "no, not with Bearer …"}}'),
    ],
)
def test_what_cannot_pass_is_not_asked_again_and_the_key_is_not_shown(
    judge: JudgeScorer, service: RatingService, status: int, kind: type[Exception], message: str
) -> None:
    service.faults = [status]
    with pytest.raises(kind) as error:
        rate(judge, HELLO)
    assert str(error.value).endswith(message)
    assert len(service.seen) == 1


def test_one_failure_ends_what_has_not_begun(service: RatingService, settings: Settings, stop: Stop) -> None:
    service.faults = [400]
    scorer = JudgeScorer(JUDGE, settings.model_copy(update={"judge_requests": 1}), stop)
    with pytest.raises(EvaluationError):
        rate(scorer, *[Item("?", str(n), "") for n in range(50)])
    assert len(service.seen) < 10
    scorer.close()


def test_a_pause_ends_when_the_run_does(judge: JudgeScorer, service: RatingService, stop: Stop) -> None:
    service.broken, service.retry_after = 429, "50"
    threading.Timer(0.3, stop.ask).start()
    with pytest.raises(EvaluationInterrupted):
        rate(judge, HELLO)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("judge_url", "http://me:hunter2canary@127.0.0.1/v1"),
        ("judge_url", "http://127.0.0.1/v1?key=hunter2canary"),
        ("judge_url", "ftp://127.0.0.1/hunter2canary"),
        ("judge_url", "hunter2canary"),
        ("judge_url", "http://[hunter2canary"),
        ("judge_api_key", "hunter2canary\n"),
        ("judge_api_key", "hunter2 canary"),
        ("judge_api_key", "hunter2cänary"),
    ],
)
def test_addresses_and_keys_that_cannot_be_are_refused_without_being_shown(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"SWARM_{variable.upper()}", value)
    with pytest.raises(InputError) as error:
        JudgeScorer(JUDGE, Settings(), Stop())
    assert str(error.value).startswith(f"SWARM_{variable.upper()} ")
    assert "hunter2" not in str(error.value)


def test_without_an_address_there_is_no_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SWARM_JUDGE_URL", raising=False)
    with pytest.raises(InputError, match="SWARM_JUDGE_URL is not set: give the endpoint's address"):
        JudgeScorer(JUDGE, Settings(), Stop())
