"""Opening the scorers that an objective's tasks name. A new kind of scorer is one file and a line in each function."""

import logging
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from data.outside import Classifier, Identify, Item, Judge, Perspective, Rating, Rewarder, Scorer, ScorerConfig
from infra.scorers.stop import Stop
from infra.settings import Settings

logger = logging.getLogger(__name__)


def identify(settings: Settings) -> Identify:
    """Return what says on what a scorer's ratings depend, without opening it.

    It raises `InputError` if the scorer can't be had: a model that is missing, a key or an address that is not set.
    """

    def identity(config: ScorerConfig) -> str:
        from infra.scorers.judge import judge_identity, judge_service
        from infra.scorers.perspective import perspective_identity, perspective_service

        match config:
            case Perspective():
                perspective_service(settings)
                return perspective_identity()
            case Judge():
                judge_service(settings)
                return judge_identity(config)
            case Classifier():
                from infra.scorers.classifier import classifier_identity

                return classifier_identity(config, settings)
            case Rewarder():
                from infra.scorers.rewarder import reward_identity

                return reward_identity(config, settings)

    return identity


def open_scorer(config: ScorerConfig, settings: Settings, stop: Stop) -> Scorer:
    """Open the scorer that `config` names; raises `InputError` if it can't be opened."""
    match config:
        case Perspective():
            from infra.scorers.perspective import PerspectiveScorer

            return PerspectiveScorer(settings, stop)
        case Judge():
            from infra.scorers.judge import JudgeScorer

            return JudgeScorer(config, settings, stop)
        case Classifier():
            from infra.scorers.classifier import ClassifierScorer

            return ClassifierScorer(config, settings)
        case Rewarder():
            from infra.scorers.rewarder import RewardScorer

            return RewardScorer(config, settings)


class Scorers:
    """The scorers of one run: each is opened at its first rating and closed with the run."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._stop = settings, Stop()
        self._opening = threading.Lock()
        self._open: dict[ScorerConfig, Scorer] = {}
        self._turns: dict[ScorerConfig, threading.Lock] = {}

    def rate(self, by: ScorerConfig, items: Sequence[Item]) -> list[Rating]:
        """Return one rating an item, by the scorer that `by` names; thread-safe.

        Raises:
            EvaluationError: a rating could not be had.
            InputError: the scorer can't be opened, or refuses all work.
            EvaluationInterrupted: the scorers were closed meanwhile.

        """
        scorer = self._scorer(by)
        with self._turns[by]:  # a model rates one group at a time; a service has its own limit
            self._stop.check()
            ratings = scorer.score(items, lambda count, total: self._stop.check())
            logger.info("%s: %s", scorer_name(by), _list_counts(scorer.counts()))
        return ratings

    def counts(self) -> dict[str, dict[str, float]]:
        """Return the counts of each open scorer, by its name."""
        return {scorer_name(by): dict(scorer.counts()) for by, scorer in self._open.items()}

    def close(self) -> None:
        """End the ratings under way and close every scorer."""
        self._stop.ask()
        with self._opening:
            for by, scorer in self._open.items():
                with self._turns[by]:
                    scorer.close()
            self._open.clear()

    def _scorer(self, by: ScorerConfig) -> Scorer:
        with self._opening:
            self._stop.check()
            if by not in self._open:
                logger.info("opening %s", scorer_name(by))
                self._open[by] = open_scorer(by, self._settings, self._stop)
                self._turns[by] = threading.Lock()
            return self._open[by]


def scorer_name(by: ScorerConfig) -> str:
    """Return the name of a scorer in logs and reports."""
    match by:
        case Perspective():
            return "perspective"
        case Judge():
            return f"judge {by.model} ({by.asks})"
        case Classifier() | Rewarder():
            return f"{by.kind} {Path(by.model).name}"


def _list_counts(counts: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in counts.items())
