"""The prompts of a system's nodes: one section of a run's configuration, and of a system's file."""

from typing import Self

from pydantic import BaseModel as Schema
from pydantic import ConfigDict, Field, model_validator

from data.kinds.base import MOST_NEW_TOKENS
from data.placeholders import QUESTION, require_known, require_placeholders

RESPONSES, NUMBER, RESPONSE = "{responses}", "{number}", "{response}"
"""The placeholders of these templates, besides the question's."""


class SystemConfig(Schema):
    """The prompts of a system's nodes; the defaults are those of Heterogeneous Swarms' public code."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="System")

    source: str = Field(
        "Please answer the following question.\nQuestion: {question}",
        title="First nodes",
        description="What a node reads that has no predecessor; {question} is the task's own prompt.",
    )
    later: str = Field(
        "Please answer the following question with the help of previous responses, feel free to ignore wrong or "
        "unhelpful responses.\n{responses}\nQuestion: {question}",
        title="Later nodes",
        description="What every other node reads; {responses} are the answers of its predecessors.",
    )
    response: str = Field(
        "Previous response {number}: {response}",
        title="Previous response",
        description="One answer of a predecessor, a line each; {number} counts from 1.",
    )
    max_new_tokens: int = Field(
        50,
        ge=1,
        le=MOST_NEW_TOKENS,
        title="Tokens a node",
        description="Most tokens that a node's answer has; the end node's limit is the task's own.",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for template, required, others in (
            (self.source, (QUESTION,), ()),
            (self.later, (QUESTION, RESPONSES), ()),
            (self.response, (RESPONSE,), (NUMBER,)),
        ):
            require_placeholders(template, *required)
            require_known(template, [name.strip("{}") for name in (*required, *others)])
        return self
