import threading
from pathlib import Path

import pytest

from data.outside import Classifier, Item, Judge, Perspective, Rewarder, ScorerConfig
from infra.engines.host import EvaluationInterrupted
from infra.scorers.open_scorers import Scorers, identify, open_scorer
from infra.scorers.stop import Stop
from infra.settings import Settings
from tests.rating_server import RatingService
from tests.tiny_raters import make_rater

JUDGE = Judge(model="judge-1", asks="quality")
ITEMS = [Item("Say it.", text, "it") for text in ("it", "that", "it and that")]


@pytest.fixture
def outside(tmp_path: Path) -> list[ScorerConfig]:
    reward, classifier = make_rater(tmp_path / "reward"), make_rater(tmp_path / "classes", labels=("no", "yes"))
    return [
        JUDGE,
        Judge(model="judge-1", asks="match"),
        Perspective(kind="perspective"),
        Classifier(kind="classifier", model=str(classifier), label="yes", device="cpu"),
        Rewarder(model=str(reward), device="cpu"),
    ]


def test_a_scorer_is_what_was_identified_before_it_was_opened(outside: list[ScorerConfig], settings: Settings) -> None:
    for by in outside:
        scorer = open_scorer(by, settings, Stop())
        assert scorer.identity == identify(settings)(by)
        scorer.close()


def test_identities_differ_and_none_holds_an_address_a_key_or_a_path(
    outside: list[ScorerConfig], settings: Settings, service: RatingService, tmp_path: Path
) -> None:
    identities = [identify(settings)(by) for by in outside]
    assert len(set(identities)) == len(outside)
    for identity in identities:
        assert not any(text in identity for text in (service.url, "key-of", str(tmp_path)))


def test_every_scorer_rates_each_item_and_says_what_it_did(outside: list[ScorerConfig], settings: Settings) -> None:
    scorers = Scorers(settings)
    for by in outside:
        assert len(scorers.rate(by, ITEMS)) == len(ITEMS)
    assert {name: counts["ratings"] for name, counts in scorers.counts().items()} == {
        "judge judge-1 (quality)": 3,
        "judge judge-1 (match)": 3,
        "perspective": 3,
        "classifier classes": 3,
        "rewarder reward": 3,
    }
    scorers.close()
    assert scorers.counts() == {}


def test_equal_scorers_are_opened_once_and_unused_ones_never(settings: Settings, service: RatingService) -> None:
    scorers = Scorers(settings)
    assert scorers.counts() == {}
    scorers.rate(JUDGE, ITEMS[:1])
    scorers.rate(Judge(model="judge-1", asks="quality"), ITEMS[1:])
    assert scorers.counts()["judge judge-1 (quality)"]["requests"] == 3
    scorers.close()


def test_closing_ends_what_is_under_way_and_nothing_is_opened_after(settings: Settings, service: RatingService) -> None:
    service.broken, service.retry_after = 429, "50"
    scorers, failures = Scorers(settings), []

    def rate() -> None:
        try:
            scorers.rate(JUDGE, ITEMS)
        except EvaluationInterrupted as error:
            failures.append(error)

    thread = threading.Thread(target=rate)
    thread.start()
    while not service.seen:
        thread.join(0.01)
    scorers.close()
    thread.join(10)
    assert len(failures) == 1
    with pytest.raises(EvaluationInterrupted):
        scorers.rate(JUDGE, ITEMS)
