"""Every kind of task. To add one: write `data/kinds/NAME.py` with a `TaskConfig` subclass, and name it here."""

from typing import Annotated

from pydantic import Field

from data.kinds.abstain_qa import AbstainQA
from data.kinds.conciseness import Conciseness
from data.kinds.countdown import Countdown
from data.kinds.exact_match import ExactMatch
from data.kinds.function import Function
from data.kinds.likelihood import Likelihood
from data.kinds.llm_judge import JudgedMatch, LlmJudge
from data.kinds.lm_eval import LmEval
from data.kinds.multiple_choice import MultipleChoice
from data.kinds.reward_model import RewardModel
from data.kinds.toxicity import Toxicity

AnyTask = Annotated[
    AbstainQA
    | Conciseness
    | Countdown
    | ExactMatch
    | Function
    | LlmJudge
    | JudgedMatch
    | Likelihood
    | LmEval
    | MultipleChoice
    | RewardModel
    | Toxicity,
    Field(discriminator="kind"),
]
"""A task's config: its `kind` says which of these it is."""
