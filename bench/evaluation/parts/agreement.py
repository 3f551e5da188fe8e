"""Whether an engine's completion is what another way generated, up to where the engine may have stopped early."""

from collections.abc import Callable, Sequence

from data.requests import Completion

Text = Callable[[Sequence[int]], str]


def same_answer(ours: Completion, others: Sequence[int], text: Text, prediction: Callable[[str], str]) -> bool:
    """Tell whether `ours` says what the new tokens `others` say.

    Ours must be their text token for token. It may have fewer tokens only if the answer read from both (`prediction`)
    is the same: an engine ends a row whose answer is decided.
    """
    if ours.tokens > len(others) or text(others[: ours.tokens]) != ours.text:
        return False
    return ours.tokens == len(others) or prediction(ours.text) == prediction(text(others))
