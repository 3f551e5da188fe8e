"""Log-likelihoods are of the tokens that lm-eval scores, whatever the family of the tokenizer."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
from tokenizers import Tokenizer, models, trainers

from data.requests import Generate, LogLikelihood
from infra.engines.tokenizer import appended_tokens
from infra.engines.tokens import Choices, Tokens
from swarm.errors import InputError
from tests.infra.engines.tokenizer_families import FAMILIES, SPECIALS, fast

ENDS = ["", " ", "  ", "\t", ":", ": ", "\n", "\n\n", " \n", "\n "]
CHOICES = ("A", "B", "a black dog", "blue bird")
CASES = [(family, end) for family in FAMILIES for end in ENDS if family != "unigram" or "\n" not in end]
"""Unigram tokenizers (T5's) take a line break for a space, which is refused: see below."""


@cache
def tokenizer(family: str) -> Any:
    return fast(FAMILIES[family]())


def lm_evals_tokens(family: str, prompt: str, continuation: str) -> tuple[list[int], list[int]]:
    """Return lm-eval's tokens of prompt and continuation, encoded without what the tokenizer appends."""
    from lm_eval.api.model import TemplateLM  # not in vLLM's environment, which collects this file

    class Encoding(TemplateLM):
        eot_token_id = 2
        _loglikelihood_tokens = loglikelihood_rolling = generate_until = None

        def tok_encode(self, string: str, add_special_tokens: bool | None = None, **kwargs: Any) -> list[int]:
            tokens = list(tokenizer(family).encode(string))
            return tokens[:-1] if tokens[-1:] == [2] else tokens

    context, scored = Encoding._encode_pair(Encoding.__new__(Encoding), prompt, continuation)
    return list(context), list(scored)


def scored_tokens(choices: Choices) -> list[list[int]]:
    return [list(suffix[len(suffix) - count :]) for suffix, count in zip(choices.suffixes, choices.scored, strict=True)]


def all_tokens(choices: Choices) -> list[list[int]]:
    return [[*choices.prefix, *suffix] for suffix in choices.suffixes]


def encode(family: str, prompt: str, continuations: Sequence[str]) -> Choices:
    [choices] = Tokens(tokenizer(family), None).choices([LogLikelihood(prompt, tuple(continuations))])
    return choices


@pytest.mark.parametrize(("family", "end"), [case for case in CASES if "\n" not in case[1]])
def test_the_tokens_that_are_scored_are_lm_evals(family: str, end: str) -> None:
    prompt = f"Which animal barks? The answer is{end}"
    continuations = [choice if end[-1:].isspace() else f" {choice}" for choice in CHOICES]
    choices = encode(family, prompt, continuations)
    theirs = [lm_evals_tokens(family, prompt, text) for text in continuations]
    assert scored_tokens(choices) == [scored for _, scored in theirs]
    assert all_tokens(choices) == [[*context, *scored] for context, scored in theirs]


@pytest.mark.parametrize(("family", "end"), [case for case in CASES if "\n" in case[1]])
def test_line_breaks_at_the_end_are_no_part_of_a_choice_which_lm_eval_counts_in_all_of_them(
    family: str, end: str
) -> None:
    prompt = f"Which animal barks? The answer is:{end}"
    choices = encode(family, prompt, CHOICES)
    theirs = [lm_evals_tokens(family, prompt, text) for text in CHOICES]
    assert all_tokens(choices) == [[*context, *scored] for context, scored in theirs]
    left_over = {
        tuple(scored[: len(scored) - len(ours)])
        for ours, (_, scored) in zip(scored_tokens(choices), theirs, strict=True)
    }
    assert len(left_over) == 1
    assert not tokenizer(family).decode([token for tokens in left_over for token in tokens]).strip()


@pytest.mark.parametrize(("family", "end"), CASES)
def test_every_character_of_a_choice_is_scored(family: str, end: str) -> None:
    choices = encode(family, f"The answer is:{end}", [text if end[-1:].isspace() else f" {text}" for text in CHOICES])
    for tokens, text in zip(scored_tokens(choices), CHOICES, strict=True):
        expected = text.casefold() if family == "WordPiece" else text
        assert tokenizer(family).decode(tokens).strip() == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_tokenizer_appends_is_part_of_no_prompt(family: str) -> None:
    made = tokenizer(family)
    assert appended_tokens(made) == int(family in {"unigram", "WordPiece", "BPE with BOS and EOS"})
    [prompt] = Tokens(made, None).prompts([Generate("The answer is", 1)])
    assert 2 not in prompt.tokens
    whole = made("The answer is")["input_ids"]
    assert list(prompt.tokens) == (whole[:-1] if appended_tokens(made) else whole)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_choice_without_a_token_of_its_own_is_refused_with_cause_and_cure(family: str) -> None:
    dropped = "\u0000" if family == "WordPiece" else ""
    with pytest.raises(InputError) as error:
        encode(family, "The answer is", (" A", dropped))
    message = str(error.value)
    assert message.startswith(f"choice {dropped!r} has no token of its own after prompt 'The answer is': the base ")
    assert "joins it with the prompt's end, or drops it: end the prompt (the template) with a word" in message


@pytest.mark.parametrize("end", ["\n", "\n\n", " \n", "\n "])
def test_a_line_break_that_is_a_space_to_the_tokenizer_is_refused(end: str) -> None:
    with pytest.raises(InputError, match=r"choice ' ?A' has no token of its own after prompt '.*: end the prompt"):
        encode("unigram", f"The answer is:{end}", CHOICES)


def test_a_choice_that_a_line_break_merges_with_is_refused() -> None:
    made = Tokenizer(models.BPE())
    made.train_from_iterator(["is:\nA", "is:\nB"] * 9, trainers.BpeTrainer(vocab_size=40, special_tokens=SPECIALS))
    with pytest.raises(InputError, match="choice 'Ab' has no token of its own after prompt 'is:"):
        Tokens(fast(made), None).choices([LogLikelihood("is:\n", ("Ab", "Bb"))])


def test_choices_that_become_the_same_tokens_are_refused() -> None:
    with pytest.raises(InputError, match="choices ' ß' and ' ø' have the same tokens, so that neither can be likelier"):
        encode("WordPiece", "The answer is", (" ß", " ø"))
    with pytest.raises(InputError, match="choices ' Yes' and ' yes' have the same tokens"):
        encode("WordPiece", "The answer is", (" Yes", " yes"))
    assert len(encode("WordPiece", "The answer is", (" yes", " yes")).scored) == 2
