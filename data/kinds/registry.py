"""Every kind of task. To add one: write `data/kinds/NAME.py` with a `TaskConfig` subclass, and name it here."""

from typing import Annotated

from pydantic import Field

from data.kinds.exact_match import ExactMatch
from data.kinds.multiple_choice import MultipleChoice

AnyTask = Annotated[ExactMatch | MultipleChoice, Field(discriminator="kind")]
"""A task's config: its `kind` says which of these it is."""
