from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from data.requests import Generate, LogLikelihood
from infra.engines.tokens import Tokens
from swarm.errors import InputError
from tests.tiny import make_base


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return AutoTokenizer.from_pretrained(make_base(tmp_path_factory.mktemp("base") / "tiny"))


@pytest.fixture
def opening(tmp_path: Path) -> Any:
    """A tokenizer that begins every text with a token of its own."""
    from tokenizers.processors import TemplateProcessing

    made = AutoTokenizer.from_pretrained(make_base(tmp_path / "opening"))
    made.add_special_tokens({"bos_token": "<bos>"})
    template = TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", made.bos_token_id)])
    made.backend_tokenizer.post_processor = template
    return made


def test_a_plain_prompt_gets_the_special_tokens_of_the_tokenizer(opening: Any) -> None:
    (prompt,) = Tokens(opening, None).prompts([Generate("hi", 1)])
    assert list(prompt.tokens) == opening("hi")["input_ids"]
    assert prompt.tokens[0] == opening.bos_token_id


def test_a_rendered_chat_prompt_does_not_begin_twice(opening: Any) -> None:
    plain, chat = Tokens(opening, None).prompts([Generate("hi", 1), Generate("<bos>hi", 1)])
    assert chat.tokens == plain.tokens


def test_continuations_share_the_prompt(tokenizer: Any) -> None:
    (choices,) = Tokens(tokenizer, None).choices([LogLikelihood("ab", ("c", "cd"))])
    a, b, c, d = tokenizer("abcd")["input_ids"]
    assert (choices.prefix, choices.suffixes, choices.scored) == ((a, b), ((c,), (c, d)), (1, 2))


def test_a_prompt_that_merges_with_a_continuation_is_scored_beyond_its_own_tokens() -> None:
    class Merging:
        """`is` and ` A` merge into one token: " A" costs the prompt its last token."""

        bos_token = None

        def __call__(self, texts: list[str], add_special_tokens: bool) -> dict[str, list[tuple[int, ...]]]:
            vocabulary = {"x is": (1, 2), "x is A": (1, 3, 4), "x is B": (1, 2, 5)}
            return {"input_ids": [vocabulary[text] for text in texts]}

    (choices,) = Tokens(Merging(), None).choices([LogLikelihood("x is", (" A", " B"))])
    assert (choices.prefix, choices.suffixes, choices.scored) == ((1,), ((3, 4), (2, 5)), (1, 1))


def test_a_continuation_without_tokens_is_refused(tokenizer: Any) -> None:
    with pytest.raises(InputError, match="continuation '' adds no token to its prompt: give it other text"):
        Tokens(tokenizer, None).choices([LogLikelihood("ab", ("c", ""))])


def test_special_tokens_are_left_out_of_the_text(tokenizer: Any) -> None:
    ids = [*tokenizer("a  , b")["input_ids"], tokenizer.eos_token_id]
    assert Tokens(tokenizer, None).text(ids) == "a  , b"
