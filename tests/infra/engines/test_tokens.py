import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers.processors import TemplateProcessing
from transformers import AutoTokenizer

from data.objective import ObjectiveConfig, load_objective
from data.requests import Generate, LogLikelihood, Request, request_from_json, request_json
from experts.base_models import BaseModel
from infra.engines.config import EngineConfig
from infra.engines.kinds import engine_identity
from infra.engines.tokens import Tokens
from swarm.errors import InputError
from tests.tiny import make_base


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return AutoTokenizer.from_pretrained(make_base(tmp_path_factory.mktemp("base") / "tiny"))


@pytest.fixture
def opening(tmp_path: Path) -> Any:
    """A tokenizer that begins every text with a token of its own."""
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
            vocabulary = {"a": (9,), "x is": (1, 2), "x is A": (1, 3, 4), "x is B": (1, 2, 5)}
            return {"input_ids": [vocabulary[text] for text in texts]}

    (choices,) = Tokens(Merging(), None).choices([LogLikelihood("x is", (" A", " B"))])
    assert (choices.prefix, choices.suffixes, choices.scored) == ((1,), ((3, 4), (2, 5)), (1, 1))


def test_a_continuation_without_tokens_is_refused(tokenizer: Any) -> None:
    with pytest.raises(InputError, match="choice '' has no token of its own after prompt 'ab'"):
        Tokens(tokenizer, None).choices([LogLikelihood("ab", ("c", ""))])


def test_special_tokens_are_left_out_of_the_text(tokenizer: Any) -> None:
    ids = [*tokenizer("a  , b")["input_ids"], tokenizer.eos_token_id]
    assert Tokens(tokenizer, None).text(ids) == "a  , b"


@pytest.mark.parametrize(
    ("prompt", "moved", "left"),
    [
        ("Is: ", " ", "Is:"),
        ("Is: \t ", " \t ", "Is:"),
        ("Is:\n ", " ", "Is:\n"),
        ("Is:\n", "", "Is:\n"),
        ("Is: \n", "", "Is: \n"),
        ("Is:", "", "Is:"),
        ("  ", "", "  "),
    ],
)
def test_spaces_at_the_end_of_a_prompt_belong_to_its_continuations(prompt: str, moved: str, left: str) -> None:
    request = LogLikelihood(prompt, ("A", " B"))
    assert (request.prompt, request.continuations) == (left, (f"{moved}A", f"{moved} B"))
    assert request_from_json(request_json(request)) == request


def test_an_objective_whose_prompts_end_in_a_space_is_not_the_one_that_was_scored_otherwise(tmp_path: Path) -> None:
    row = {"question": "Barks?", "choices": {"A": "dog", "B": "cat"}, "answer": "A"}
    (tmp_path / "pets.json").write_text(json.dumps({"dev": [row], "test": [{**row, "question": "Purrs?"}]}))

    def requests(end: str) -> Request:
        task = {"kind": "multiple_choice", "data": "pets.json", "parse": "loglik", "template": "{question}{choices}"}
        task["template"] += end
        config = ObjectiveConfig.model_validate({"tasks": [task]}, context={"folder": tmp_path})
        return load_objective(config).requests("dev")[0]

    assert requests(" is") == LogLikelihood("Barks?A: dog\nB: cat is", (" A", " B"))
    assert requests(" is ") == LogLikelihood("Barks?A: dog\nB: cat is", (" A", " B"))


def test_what_a_tokenizer_appends_is_left_out_and_changes_the_identity_of_engines_over_it_alone(tmp_path: Path) -> None:
    folder = make_base(tmp_path / "plain")
    plain = BaseModel("tiny", folder, "a" * 64)
    assert "appended_tokens" not in engine_identity(EngineConfig(device="cpu"), plain)
    made = AutoTokenizer.from_pretrained(folder)
    made.backend_tokenizer.post_processor = TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    assert [prompt.tokens[-1] for prompt in Tokens(made, None).prompts([Generate("hi", 1)])] == [
        made("hi")["input_ids"][1]
    ]
    made.save_pretrained(folder)
    assert json.loads(engine_identity(EngineConfig(device="cpu"), plain))["appended_tokens"] == "left out"
