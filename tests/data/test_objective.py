import json
from pathlib import Path
from typing import Any

import pytest

from data.kinds.multiple_choice import anchored_stop_pattern
from data.objective import Evaluation, Objective, ObjectiveConfig, load_objective
from data.requests import Completion, Generate, LogLikelihoods, Response
from swarm.errors import EvaluationError, InputError

SUMS = {
    "dataset": "sums",
    "dev": [{"question": f"{n}+1=", "answer": str(n + 1)} for n in range(3)],
    "test": [{"question": f"{n}+2=", "answer": str(n + 2)} for n in range(4)],
}
PETS = {
    "dataset": "pets",
    "icl_prompt": "Pets:",
    "dev": [{"question": "Barks?", "answer": "B", "choices": {"A": "cat", "B": "dog"}}],
    "test": [{"question": "Purrs?", "answer": "A", "choices": {"A": "cat", "B": "dog"}}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sums.json").write_text(json.dumps(SUMS))
    (tmp_path / "pets.json").write_text(json.dumps(PETS))
    return tmp_path


def config(folder: Path, *tasks: dict[str, Any], **fields: Any) -> ObjectiveConfig:
    return ObjectiveConfig.model_validate({"tasks": tasks, **fields}, context={"folder": folder})


def sums(**fields: Any) -> dict[str, Any]:
    return {"kind": "exact_match", "data": "sums.json", "match": "number", **fields}


def pets(**fields: Any) -> dict[str, Any]:
    return {"kind": "multiple_choice", "data": "pets.json", **fields}


def answers(*texts: str) -> list[Response]:
    return [Completion(text, 1) for text in texts]


def key(folder: Path, *tasks: dict[str, Any], **fields: Any) -> str:
    return load_objective(config(folder, *tasks, **fields)).key


def rewritten(folder: Path, name: str, **fields: Any) -> None:
    value = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**value, **fields}))


def test_requests_are_flat_over_the_tasks_and_limits_take_the_first_examples(folder: Path) -> None:
    objective = load_objective(config(folder, sums(dev=2, max_new_tokens=5), pets()))
    assert objective.requests("dev") == [
        Generate("0+1=", 5),
        Generate("1+1=", 5),
        Generate(
            "Pets:\nPlease choose an option that best answers the question.\nQuestion: Barks?\nA: cat\nB: dog\n"
            "The answer is",
            10,
            decided=anchored_stop_pattern(objective.examples("dev")[2]),
        ),
    ]
    assert [example.question for example in objective.examples("test")] == ["0+2=", "1+2=", "2+2=", "3+2=", "Purrs?"]


def test_an_evaluation_has_every_score_prediction_and_output(folder: Path) -> None:
    objective = load_objective(config(folder, sums(weight=3), pets(parse="loglik")))
    responses = [*answers(" 1.", "2", "no"), LogLikelihoods((-2.0, -1.5), (1, 1))]
    assert objective.score("dev", responses) == Evaluation(
        utility=0.75,
        task_utilities=(2 / 3, 1.0),
        scores=(1.0, 1.0, 0.0, 1.0),
        predictions=("1", "2", "", "B"),
        outputs=(" 1.", "2", "no", '{"A": -2.0, "B": -1.5}'),
    )


def test_predictions_that_were_voted_for_are_scored(folder: Path) -> None:
    objective = load_objective(config(folder, sums(), pets(), aggregate="harmonic_mean"))
    scores = objective.score_predictions("test", ["2", "0", "4", "0", "A"])
    assert scores == (1.0, 0.0, 1.0, 0.0, 1.0)
    assert objective.aggregate("test", scores) == pytest.approx(2 / 3)


def test_a_harmonic_mean_with_a_task_at_0_is_0(folder: Path) -> None:
    objective = load_objective(config(folder, sums(), pets(), aggregate="harmonic_mean"))
    assert objective.score("dev", answers("1", "2", "3", "A")).utility == 0.0


def test_a_wrong_number_of_answers_is_a_failed_evaluation(folder: Path) -> None:
    with pytest.raises(EvaluationError) as error:
        load_objective(config(folder, sums())).score("dev", answers("1"))
    assert str(error.value) == "the engine gave 1 answers to 3 requests"


def test_a_wrong_number_of_scores_is_refused(folder: Path) -> None:
    objective = load_objective(config(folder, sums()))
    with pytest.raises(ValueError, match="2 scores for 3 examples"):
        objective.aggregate("dev", [1.0, 1.0])


def test_chat_prompts_go_through_the_models_template(folder: Path) -> None:
    def chat(messages: list[dict[str, str]]) -> str:
        return "".join(f"<{message['role']}>{message['content']}" for message in messages) + "<assistant>"

    objective = load_objective(config(folder, sums(prompt="chat", system="Be brief.", dev=1)), chat)
    assert objective.requests("dev") == [Generate("<system>Be brief.<user>0+1=<assistant>", 200)]


def test_a_chat_prompt_without_a_template_is_refused(folder: Path) -> None:
    with pytest.raises(InputError) as error:
        load_objective(config(folder, sums(prompt="chat")))
    assert str(error.value) == "task 'sums': prompt: chat, but the base model has no chat template: set prompt: raw"


def test_overlap_is_refused_and_counted(folder: Path) -> None:
    rewritten(folder, "sums.json", test=SUMS["dev"][1:] + SUMS["test"][:2])
    with pytest.raises(InputError) as error:
        load_objective(config(folder, sums()))
    assert str(error.value) == (
        f"{folder}/sums.json: 2 of its test questions are dev questions too, so their score would be no test: "
        "use data without overlap or set allow_overlap: true"
    )


def test_overlap_is_found_across_tasks(folder: Path) -> None:
    (folder / "more.json").write_text(json.dumps({"dev": SUMS["test"][:1], "test": SUMS["test"][2:]}))
    with pytest.raises(InputError, match=r"sums\.json: 1 of its test questions"):
        load_objective(config(folder, sums(), sums(data="more.json")))


def test_allowed_overlap_is_still_counted(folder: Path) -> None:
    rewritten(folder, "sums.json", test=SUMS["dev"])
    assert load_objective(config(folder, sums(), allow_overlap=True)).overlap == 3


def test_only_the_examples_in_use_can_overlap(folder: Path) -> None:
    rewritten(folder, "sums.json", test=SUMS["dev"][::-1])
    assert load_objective(config(folder, sums(dev=1, test=2))).overlap == 0


def test_an_example_that_the_kind_cannot_use_is_refused(folder: Path) -> None:
    with pytest.raises(InputError) as error:
        load_objective(config(folder, pets(data="sums.json")))
    assert str(error.value) == (
        f"{folder}/sums.json: dev[0].choices: is missing: write {{'A': …, 'B': …}} or set kind: exact_match "
        "(6 more: `swarm data check` lists them)"
    )


def test_the_key_does_not_depend_on_paths_names_or_the_order_of_fields(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    value = {key: SUMS[key] for key in ("test", "dev", "dataset")}
    (elsewhere / "other.json").write_text(json.dumps(value, indent=2))
    there = dict(reversed(sums(data=str(elsewhere / "other.json"), name="renamed", dev=3).items()))
    assert key(elsewhere, there) == key(folder, sums())


def test_the_key_is_the_same_in_every_release(folder: Path) -> None:
    # A change of this value throws away every stored evaluation: raise a kind's version when scores change.
    assert key(folder, sums(), pets()) == "f36adfc82ffdf10fd8b5f21cdac94aa93e0e8c220d6d569178de44a403d842d5"


def test_so_are_the_keys_of_the_other_kinds(folder: Path) -> None:
    (folder / "scoring.py").write_text("def score(example, completion):\n    return 0\n")
    numbers = [{"context": "Reach 3", "numbers": [1, 2], "target": "3"}]
    (folder / "numbers.json").write_text(json.dumps({"dev": numbers, "test": [{**numbers[0], "context": "3?"}]}))
    tasks = [
        {"kind": "conciseness", "data": "sums.json", "name": "conciseness"},
        {"kind": "countdown", "data": "numbers.json"},
        {"kind": "function", "data": "sums.json", "name": "function", "score": "scoring:score"},
        {"kind": "likelihood", "data": "sums.json", "name": "likelihood"},
    ]
    assert key(folder, *tasks) == "827a88d9e7c3b34c7280a89d264f656ea7ce6486b331e3c9a4dc05a8ff5dbcde"


def test_the_key_changes_with_the_numbers_of_a_countdown(folder: Path) -> None:
    def with_numbers(*numbers: int) -> str:
        example = {"context": "Reach 3", "numbers": numbers, "target": "3"}
        (folder / "n.json").write_text(json.dumps({"dev": [example], "test": [{**example, "context": "3?"}]}))
        return key(folder, {"kind": "countdown", "data": "n.json"})

    assert with_numbers(1, 2) != with_numbers(0, 3)


def test_a_log_likelihood_is_an_output_by_the_name_of_its_answer(folder: Path) -> None:
    objective = load_objective(config(folder, {"kind": "likelihood", "data": "pets.json"}))
    evaluation = objective.score("dev", [LogLikelihoods((-3.0,), (2,))])
    assert (evaluation.scores, evaluation.predictions) == ((-1.5,), ("-1.5",))
    assert evaluation.outputs == ('{"B": -3.0}',)


def test_conciseness_as_the_public_code_counts_the_prompt_that_was_sent(folder: Path) -> None:
    task = {"kind": "conciseness", "data": "sums.json", "length": "reference", "template": "Q: {question}", "dev": 1}
    evaluation = load_objective(config(folder, task)).score("dev", answers(" 1"))
    assert (evaluation.predictions, evaluation.utility) == (("Q: 0+1= 1",), -8.0)


@pytest.mark.parametrize(
    "change",
    [
        sums(match="word"),
        sums(weight=2),
        sums(dev=2),
        sums(test=3),
        sums(template="Compute {question}"),
        sums(stop=["\n"]),
        sums(max_new_tokens=9),
    ],
)
def test_the_key_changes_with_whatever_decides_a_score(folder: Path, change: dict[str, Any]) -> None:
    assert key(folder, change, pets()) != key(folder, sums(), pets())


def test_the_key_changes_with_the_aggregate_and_the_order_of_the_tasks(folder: Path) -> None:
    keys = {
        key(folder, sums(), pets()),
        key(folder, pets(), sums()),
        key(folder, sums(), pets(), aggregate="min"),
        key(folder, sums(), pets(parse="reference")),
        key(folder, sums(), pets(parse="loglik")),
        key(folder, sums(), pets(parse="loglik", loglik_of="text")),
    }
    assert len(keys) == 6


@pytest.mark.parametrize(
    "change",
    [
        {"icl_prompt": "0+0=0"},
        {"dev": [{**SUMS["dev"][0], "answer": "9"}, *SUMS["dev"][1:]]},
        {"dev": SUMS["dev"][::-1]},
        {"test": [{**SUMS["test"][0], "question": "0 + 2="}, *SUMS["test"][1:]]},
    ],
)
def test_the_key_changes_with_the_data(folder: Path, change: dict[str, Any]) -> None:
    before = key(folder, sums())
    rewritten(folder, "sums.json", **change)
    assert key(folder, sums()) != before


def test_the_key_changes_with_a_choice(folder: Path) -> None:
    before = key(folder, pets())
    rewritten(folder, "pets.json", dev=[{**PETS["dev"][0], "choices": {"A": "cow", "B": "dog"}}])
    assert key(folder, pets()) != before


def test_the_key_changes_with_a_kinds_version(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objective: Objective = load_objective(config(folder, sums()))
    before = objective.key
    monkeypatch.setattr(type(objective.tasks[0].config), "version", 10_000)
    assert key(folder, sums()) != before


def test_data_files_are_named_by_their_task_and_hash(folder: Path) -> None:
    objective = load_objective(config(folder, sums(name="addition"), pets()))
    assert objective.data_sha256 == {task.name: task.data_sha256 for task in objective.tasks}
    assert list(objective.data_sha256) == ["addition", "pets"]
