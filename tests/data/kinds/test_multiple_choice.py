import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from data.examples import Example, InvalidExample
from data.kinds.multiple_choice import MultipleChoice, anchored_stop_pattern
from data.prompts import fill
from data.requests import Completion, Generate, LogLikelihood, LogLikelihoods
from swarm.errors import EvaluationError

ANIMALS = (("A", "cat"), ("B", "dog"), ("C", "cat food"), ("D", "None of them"))


def task(parse: str, **fields: Any) -> MultipleChoice:
    return MultipleChoice.model_validate({"kind": "multiple_choice", "data": "set.json", "parse": parse, **fields})


def example(answer: str = "C", choices: tuple[tuple[str, str], ...] = ANIMALS, dataset: str = "set") -> Example:
    return Example(dataset, "dev", 0, "0", "Which?", answer, choices)


def read(parse: str, text: str, asked: Example | None = None) -> str:
    return task(parse).prediction(asked or example(), Completion(text, 1))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("C", "C"),
        (" C: cat food", "C"),
        ("(C)", "C"),
        ("**C**", "C"),
        ("C.", "C"),
        ("Answer: C", "C"),
        ("The answer is\n\nC", "C"),
        ("C because B is wrong", "C"),
        ("A", "A"),
        ("A: cat", "A"),
        ("A is right", "A"),
        ("A because cats purr", "A"),
        ("A good answer is C", "C"),
        ("A dog", "B"),
        ("Definitely", ""),
        ("DNA", ""),
        ("B2", ""),
        ("C-section", ""),
        ("D'Artagnan", ""),
        ("U.S.A.", ""),
        ("c", ""),
        ("the dog", "B"),
        ("the Cat  Food", "C"),
        ("cat or dog", "A"),
        ("cats and dogs", ""),
        ("none of them", "D"),
        ("", ""),
    ],
)
def test_anchored_reads_a_key_that_stands_alone_and_then_a_text(text: str, key: str) -> None:
    assert read("anchored", text) == key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("C", "C"),
        ("Answer: C", "A"),  # the A of "Answer"
        ("B, A!", "A"),  # in the order of the choices, not of the text
        ("It may well be D.", "D"),
        ("the dog, of course", "B"),
        ("cat food, of course", "A"),  # "cat" comes first among the choices
        ("no idea", "Z"),
        ("", "Z"),
        ("   then D is right", "Z"),  # in neither the first nor the last 5 characters
        ("      C is right", "C"),  # spaces around the output do not count
    ],
)
def test_reference_reads_what_the_public_code_reads(text: str, key: str) -> None:
    assert read("reference", text) == key


def test_i_is_a_key_only_where_it_is_no_word() -> None:
    nine = example("I", tuple((key, f"choice {key}") for key in "ABCDEFGHI"))
    assert [read("anchored", text, nine) for text in ("I", "I think it is C", "I: choice I")] == ["I", "C", "I"]


def test_keys_of_several_characters_are_read_whole() -> None:
    ten = example("10", tuple((str(number), f"text {number}") for number in range(1, 11)))
    assert [read("anchored", text, ten) for text in ("10", "1", "option 10.", "100")] == ["10", "1", "10", ""]


@pytest.mark.parametrize(
    ("prompt", "loglik_of", "continuations"),
    [
        ("The answer is", "key", (" A", " B", " C", " D")),
        ("<assistant>\n", "key", ("A", "B", "C", "D")),
        ("The answer is", "text", (" cat", " dog", " cat food", " None of them")),
    ],
)
def test_loglik_asks_for_every_choice_after_one_space(
    prompt: str, loglik_of: str, continuations: tuple[str, ...]
) -> None:
    asked = task("loglik", loglik_of=loglik_of).request(example(), prompt)
    assert asked == LogLikelihood(prompt, continuations)


def test_loglik_takes_the_likeliest_key_and_the_first_of_equals() -> None:
    likeliest = task("loglik").prediction(example(), LogLikelihoods((-4.0, -3.0, -2.0, -5.0), (1, 1, 4, 1)))
    equal = task("loglik").prediction(example(), LogLikelihoods((-4.0, -2.0, -2.0, -5.0), (1, 1, 1, 1)))
    assert (likeliest, equal) == ("C", "B")


def test_loglik_of_texts_compares_the_mean_of_their_tokens() -> None:
    response = LogLikelihoods((-2.0, -3.0, -6.0, -9.0), (1, 1, 4, 3))
    assert task("loglik", loglik_of="text").prediction(example(), response) == "C"


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (Completion("C", 1), "the engine did not answer with one log-likelihood a choice for dev[0]"),
        (LogLikelihoods((-1.0,), (1,)), "the engine did not answer with one log-likelihood a choice for dev[0]"),
        (
            LogLikelihoods((-1.0, float("nan"), -1.0, -1.0), (1, 1, 1, 1)),
            "the engine answered with log-likelihoods (-1.0, nan, -1.0, -1.0) for dev[0]",
        ),
    ],
)
def test_an_answer_without_usable_log_likelihoods_is_a_failed_evaluation(
    response: Completion | LogLikelihoods, message: str
) -> None:
    with pytest.raises(EvaluationError) as error:
        task("loglik").prediction(example(), response)
    assert str(error.value) == message


def test_only_the_right_key_scores() -> None:
    assert [task("anchored").judge(example(), key) for key in ("C", "A", "Z", "")] == [1, 0, 0, 0]


def test_the_default_prompt_lists_the_choices_and_ends_in_the_answer_is() -> None:
    assert fill(task("anchored").default_template("hellaswag"), example(), "") == (
        "Please choose an option that best answers the question.\nQuestion: Which?\n"
        "A: cat\nB: dog\nC: cat food\nD: None of them\nThe answer is"
    )


@pytest.mark.parametrize(
    ("dataset", "first_line"),
    [
        ("mmlu", "Please choose an option that best answers the question."),
        ("hellaswag", "Please choose an option that best completes the sentence."),
        ("knowledge_crosswords", "Question: {question}"),
    ],
)
def test_reference_asks_as_the_public_code_asks_each_data_set(dataset: str, first_line: str) -> None:
    assert task("reference").default_template(dataset).split("\n")[0] == first_line


def test_generation_asks_for_10_tokens() -> None:
    decided = anchored_stop_pattern(example())
    assert task("anchored", stop=["\n"]).request(example(), "prompt") == Generate("prompt", 10, ("\n",), decided)


@pytest.mark.parametrize(
    ("parse", "text", "decided"),
    [
        ("anchored", " B", False),  # "B2" may follow
        ("anchored", " B ", True),
        ("anchored", " B-", False),
        ("anchored", " A ", False),  # "A dog" may follow
        ("anchored", " A is", False),  # "A island" may follow
        ("anchored", " A is ", True),
        ("anchored", " A.", True),
        ("anchored", " the dog, of course", False),  # a key may follow
        ("reference", " B", False),
        ("reference", " B is", False),  # an A in its fifth character would win
        ("reference", " B is ", True),
        ("reference", " It may", False),
    ],
)
def test_generation_may_end_once_the_key_is_known_for_good(parse: str, text: str, decided: bool) -> None:
    request = task(parse).request(example(), "prompt")
    assert isinstance(request, Generate) and request.decided is not None
    assert (re.search(request.decided, text) is not None) is decided


@given(st.text(st.sampled_from("ABCDI bcdis.-_'\n2é"), max_size=12), st.sampled_from(["anchored", "reference"]))
def test_a_decided_answer_is_not_changed_by_more_text(text: str, parse: str) -> None:
    asked = example(choices=(*ANIMALS, ("I", "is bad")))
    request = task(parse).request(asked, "prompt")
    assert isinstance(request, Generate) and request.decided is not None
    for end in range(len(text)):
        if re.search(request.decided, text[:end]):
            assert read(parse, text[:end], asked) == read(parse, text, asked)


def test_an_example_without_choices_is_refused() -> None:
    with pytest.raises(InvalidExample) as error:
        task("anchored").check_example(example(choices=()))
    assert str(error.value) == "choices: is missing: write {'A': …, 'B': …} or set kind: exact_match"


def test_a_template_must_show_the_choices_unless_their_texts_are_compared() -> None:
    with pytest.raises(ValidationError, match=r"has no \{choices\}"):
        task("anchored", template="{question}")
    assert task("loglik", loglik_of="text", template="{question}").template == "{question}"


KEYS = st.lists(st.sampled_from(["A", "B", "C", "I", "1", "10", "yes"]), min_size=2, unique=True)


@given(KEYS, st.data(), st.text(), st.sampled_from(["anchored", "reference"]))
def test_parsing_never_raises_and_names_a_choice_or_none(
    keys: list[str], data: st.DataObject, text: str, parse: str
) -> None:
    texts = data.draw(st.lists(st.text(min_size=1), min_size=len(keys), max_size=len(keys)))
    asked = example(keys[0], tuple(zip(keys, texts, strict=True)))
    assert read(parse, text, asked) in {*keys, "", "Z"}


@given(KEYS, st.data(), st.sampled_from(["{}", " {}.", "({})", "Answer: {}", "{}: it"]))
def test_anchored_finds_any_key_that_is_given_alone(keys: list[str], data: st.DataObject, written: str) -> None:
    key = data.draw(st.sampled_from(keys))
    asked = example(keys[0], tuple((key, f"text of {key}") for key in keys))
    assert read("anchored", written.format(key), asked) == key
