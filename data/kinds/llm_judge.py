"""Human interest: answers that a language model rates from 1 to 10 (Model Swarms §3; docs/algorithms.md §5)."""

from typing import Any, Literal

from pydantic import Field

from data.examples import Example, require_answer
from data.kinds.base import MOST_NEW_TOKENS, Bounds
from data.kinds.rated import RatedTask
from data.outside import Judge, Rating, RewardScale, ScorerConfig, ServedName


class JudgedTask(RatedTask):
    """A question whose answer a model behind an OpenAI-compatible endpoint rates: the score is the rating, 1 to 10."""

    model: ServedName = Field(
        title="Judge",
        description="The model that rates, as the endpoint lists it. SWARM_JUDGE_URL says where the endpoint is, "
        "SWARM_JUDGE_API_KEY its key.",
    )

    @property
    def bounds(self) -> Bounds:
        """Ratings go from 1 to 10."""
        return 1.0, 10.0

    def score(self, rating: Rating, scale: RewardScale | None) -> float:
        """Return the rating."""
        return rating.value


class LlmJudge(JudgedTask):
    """A prompt whose answer a language model rates, from 1 (worst) to 10 (best): the score is the rating.

    The judge is asked in the papers' words to answer "Rating: ?/10" first. A rating that can't be read is asked for
    again, then it is 1, and the report counts it.
    """

    version = 1

    kind: Literal["judge"] = Field(title="Kind", description="Answers that a language model rates.")
    max_new_tokens: int = Field(
        512, title="New tokens", ge=1, le=MOST_NEW_TOKENS, description="An answer is cut after so many tokens."
    )

    @property
    def outside(self) -> ScorerConfig:
        """The judge."""
        return Judge(model=self.model, asks="quality")

    def settings(self, dataset: str) -> dict[str, Any]:
        """Return the kind."""
        return {"kind": self.kind}


class JudgedMatch(JudgedTask):
    """A question whose free-form answer a language model compares with the right one: the score is its rating, 1 to 10.

    As in Heterogeneous Swarms' public code (ltp, qasper).
    """

    version = 1

    kind: Literal["judged_match"] = Field(
        title="Kind", description="Free-form answers that a language model compares with the right one."
    )
    max_new_tokens: int = Field(
        200, title="New tokens", ge=1, le=MOST_NEW_TOKENS, description="An answer is cut after so many tokens."
    )

    @property
    def outside(self) -> ScorerConfig:
        """The judge."""
        return Judge(model=self.model, asks="match")

    def check_example(self, example: Example) -> None:
        """Refuse an example without a right answer."""
        require_answer(example)

    def settings(self, dataset: str) -> dict[str, Any]:
        """Return the kind."""
        return {"kind": self.kind}
