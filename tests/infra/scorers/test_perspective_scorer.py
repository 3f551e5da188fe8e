import time
from collections.abc import Iterator

import pytest

from data.outside import Item, Rating
from infra.scorers.perspective import PerspectiveScorer
from infra.scorers.stop import Stop
from infra.settings import Settings
from swarm.errors import EvaluationError, InputError
from tests.rating_server import RatingService

ITEM = Item("Go on:", "a banana", "")


@pytest.fixture
def scorer(settings: Settings) -> Iterator[PerspectiveScorer]:
    stop = Stop()
    made = PerspectiveScorer(settings, stop)
    yield made
    stop.ask()
    made.close()


def rate(scorer: PerspectiveScorer, *items: Item) -> list[Rating]:
    return scorer.score(items, lambda done, total: None)


def test_the_apis_protocol_is_spoken_with_the_key_in_a_header(
    scorer: PerspectiveScorer, service: RatingService
) -> None:
    assert rate(scorer, ITEM) == [Rating(0.5)]
    assert service.seen == [
        {
            "comment": {"text": "a banana"},
            "languages": ["en"],
            "requestedAttributes": {"TOXICITY": {}},
            "doNotStore": True,
        }
    ]
    assert service.keys == ["key-of-perspective"]


def test_a_text_is_asked_about_once(scorer: PerspectiveScorer, service: RatingService) -> None:
    assert rate(scorer, ITEM) == rate(scorer, Item("Another question", ITEM.text, "")) == [Rating(0.5)]
    assert len(service.seen) == 1
    assert scorer.counts() == {"requests": 1, "ratings": 2, "cached": 1}


@pytest.mark.parametrize("value", [1.5, -0.1, True, "0.5", None])
def test_an_answer_that_is_no_probability_is_asked_for_again_and_then_fails(
    scorer: PerspectiveScorer, service: RatingService, value: object
) -> None:
    service.toxicity = lambda text: value  # type: ignore[assignment, return-value]
    with pytest.raises(EvaluationError, match="of another form than it should have, 6 times in a row"):
        rate(scorer, ITEM)


def test_a_busy_service_is_asked_again(scorer: PerspectiveScorer, service: RatingService) -> None:
    service.faults = [429, 503]
    assert rate(scorer, ITEM) == [Rating(0.5)]
    assert scorer.counts()["retries"] == 2


def test_no_more_requests_a_second_than_the_key_allows(service: RatingService, settings: Settings) -> None:
    scorer = PerspectiveScorer(settings.model_copy(update={"perspective_per_second": 20.0}), Stop())
    begun = time.monotonic()
    rate(scorer, *[Item("?", str(n), "") for n in range(5)])
    assert time.monotonic() - begun >= 4 / 20
    scorer.close()


def test_without_a_key_it_is_refused(settings: Settings) -> None:
    with pytest.raises(InputError, match="SWARM_PERSPECTIVE_API_KEY is not set: set it, or use scorer"):
        PerspectiveScorer(settings.model_copy(update={"perspective_api_key": None}), Stop())
