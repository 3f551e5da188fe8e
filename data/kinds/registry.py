"""Every kind of task. To add one: write `data/kinds/NAME.py` with a `TaskConfig` subclass, and name it here."""

from typing import Annotated

from pydantic import Field

from data.kinds.conciseness import Conciseness
from data.kinds.countdown import Countdown
from data.kinds.exact_match import ExactMatch
from data.kinds.function import Function
from data.kinds.likelihood import Likelihood
from data.kinds.multiple_choice import MultipleChoice

AnyTask = Annotated[
    Conciseness | Countdown | ExactMatch | Function | Likelihood | MultipleChoice, Field(discriminator="kind")
]
"""A task's config: its `kind` says which of these it is."""
