"""Tasks of lm-eval: asked and scored here as lm-eval's own evaluator does."""

from pathlib import Path
from typing import Any

import pytest
from lm_eval.api.task import ConfigurableTask
from lm_eval.evaluator import evaluate

from data.harness.task_files import read_task
from data.kinds.lm_eval import LmEval
from data.objective import Objective
from data.requests import Completion, Generate, LogLikelihood, LogLikelihoods
from swarm.errors import EvaluationError, InputError
from tests.data.kinds.lm_eval_world import (
    LAMBADA,
    SUMS,
    Answering,
    answer,
    config_of,
    load,
    sums,
    write_pets,
    write_sums,
    write_task,
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "datasets")


def lm_evals_own(objective: Objective) -> dict[str, float]:
    """Return what lm-eval's evaluator says of the test split."""
    config = config_of(objective)
    config.harness_task.task.set_fewshot_seed(1234)
    results = evaluate(lm=Answering(), task_dict={"tasks": {config.task: config.harness_task.task}}, bootstrap_iters=0)
    return dict(results["results"][config.task])


@pytest.mark.parametrize("metric", ["acc", "acc_norm"])
@pytest.mark.parametrize("shots", [0, 3])
def test_multiple_choice_scores_are_lm_evals(tmp_path: Path, metric: str, shots: int) -> None:
    write_pets(tmp_path)
    objective = load(tmp_path, "pets", metric=metric, num_fewshot=shots)
    evaluation = objective.score("test", list(map(answer, objective.requests("test"))))
    assert evaluation.utility == lm_evals_own(objective)[f"{metric},none"]
    assert 0 < evaluation.utility < 1
    assert set(evaluation.predictions) <= {"0", "1", "2", "3"}


@pytest.mark.parametrize("name", ["last", "whole"])
def test_generated_answers_are_filtered_and_scored_as_lm_eval_does(tmp_path: Path, name: str) -> None:
    write_sums(tmp_path)
    objective = load(tmp_path, "sums", filter=name)
    evaluation = objective.score("test", list(map(answer, objective.requests("test"))))
    assert evaluation.utility == lm_evals_own(objective)[f"exact_match,{name}"]
    assert evaluation.utility > 0 or name == "whole"


def test_a_perplexity_counts_as_the_mean_log_likelihood_that_it_is_made_of(tmp_path: Path) -> None:
    write_task(tmp_path, LAMBADA, validation=sums(0, 4), test=sums(10, 8))
    objective = load(tmp_path, "last_word")
    evaluation = objective.score("test", list(map(answer, objective.requests("test"))))
    assert 2.718281828459045**-evaluation.utility == pytest.approx(lm_evals_own(objective)["perplexity,none"])
    assert config_of(objective).graded is False


def test_only_a_metric_that_is_named_says_what_scores_are_before_the_task_is_read() -> None:
    named, unnamed = (
        LmEval.model_validate({"kind": "lm_eval", "task": "nowhere", **fields}) for fields in ({"metric": "acc"}, {})
    )
    assert (named.bounds, named.graded) == ((0.0, 1.0), True)
    assert (unnamed.bounds, unnamed.graded) == ((None, None), False)


def test_prompts_are_lm_evals_to_the_letter(tmp_path: Path) -> None:
    write_pets(tmp_path)
    objective = load(tmp_path, "pets", num_fewshot=2)
    task: ConfigurableTask = config_of(objective).harness_task.task
    task.set_fewshot_seed(1234)
    task.build_all_requests()
    theirs = [instance.args for instance in task.instances]
    ours = [
        (request.prompt, continuation)
        for request in objective.requests("test")
        if isinstance(request, LogLikelihood)
        for continuation in request.continuations
    ]
    assert ours == theirs
    assert ours[0][0].startswith("About pets.\nQuestion: Which is number")
    assert ours[0][0].endswith("\n\nQuestion: Which is number 200?\nAnswer:")


def test_limits_take_the_first_examples_and_leave_their_prompts_as_they_are(tmp_path: Path) -> None:
    write_pets(tmp_path)
    whole, cut = load(tmp_path, "pets", num_fewshot=2), load(tmp_path, "pets", num_fewshot=2, dev=3, test=4)
    assert [len(cut.requests("dev")), len(cut.requests("test"))] == [3, 4]
    assert cut.requests("test") == whole.requests("test")[:4]


def test_a_generated_answer_ends_as_the_task_says(tmp_path: Path) -> None:
    write_sums(tmp_path)
    objective = load(tmp_path, "sums", stop=["!"])
    assert objective.requests("dev")[0] == Generate("0+1=", 7, ("\n", "Q:", "!"))


def test_spaces_before_a_continuation_are_scored_with_it_as_lm_evals_models_do(tmp_path: Path) -> None:
    write_pets(tmp_path, doc_to_text="{{question}}: ", target_delimiter="")
    assert load(tmp_path, "pets").requests("dev")[0] == LogLikelihood(
        "About pets.\nWhich is number 100?:", (" dog", " grey cat", " cow", " blackbird")
    )


def test_a_chat_prompt_has_the_whole_text_and_continuations_without_the_space(tmp_path: Path) -> None:
    write_pets(tmp_path)
    objective = load(tmp_path, "pets", prompt="chat", system="Choose.", template="{question} …")
    assert objective.requests("dev")[0] == LogLikelihood(
        "<system>Choose.<user>About pets.\nQuestion: Which is number 100?\nAnswer: …<assistant>",
        ("\ndog", "\ngrey cat", "\ncow", "\nblackbird"),
    )


def test_a_task_with_one_split_has_its_first_examples_for_dev(tmp_path: Path) -> None:
    write_sums(tmp_path, validation_split=None)
    objective = load(tmp_path, "sums", dev=5, test=2)
    assert [example.question for example in objective.examples("dev")] == [f"{n}+1=" for n in range(10, 15)]
    assert [example.question for example in objective.examples("test")] == ["15+1=", "16+1="]
    with pytest.raises(InputError) as error:
        load(tmp_path, "sums")
    assert str(error.value) == (
        "task 'sums' has one split of 40 examples: say with 'dev' how many of its first are for the search; the others "
        "are the test split"
    )


def test_overlap_is_seen_whatever_the_worked_examples(tmp_path: Path) -> None:
    config = {**SUMS, "training_split": "train", "num_fewshot": 1}
    write_task(tmp_path, config, train=sums(50, 9), validation=sums(0, 3), test=sums(2, 3))
    with pytest.raises(InputError, match="1 of its test questions are dev questions too"):
        load(tmp_path, "sums")


CODE = """
def doubled(documents):
    return documents.map(lambda document: {**document, "question": document["question"] * 2})

def shared(document, results):
    return {"exact_match": len(set(results[0]) & set(document["answer"])) / 9}
"""
OWN_CODE = "process_docs: !function code.doubled\nprocess_results: !function code.shared\n"


def test_code_of_the_users_own_folder_is_run(tmp_path: Path) -> None:
    write_sums(tmp_path, OWN_CODE)
    (tmp_path / "code.py").write_text(CODE)
    objective = load(tmp_path, "sums", dev=1, filter="whole")
    assert objective.requests("dev")[0] == Generate("0+1=0+1=", 7, ("\n", "Q:"))
    assert objective.score("dev", [Completion("1234", 4)]).utility == 1 / 9


def test_a_tasks_code_that_asks_what_is_not_known_is_a_failed_evaluation(tmp_path: Path) -> None:
    write_task(tmp_path, LAMBADA, "process_results: !function code.acc\n", validation=sums(0, 2), test=sums(5, 2))
    (tmp_path / "code.py").write_text("def acc(document, results):\n    return {'acc': int(results[0][1])}\n")
    objective = load(tmp_path, "last_word", metric="acc", dev=1)
    with pytest.raises(EvaluationError) as error:
        objective.score("dev", [LogLikelihoods((-1.0,), (1,))])
    assert str(error.value) == (
        "task 'last_word': scoring raised TypeError: \"whether a continuation is the greedy one is not known here\""
    )


def test_code_of_the_installed_tasks_is_refused_before_anything_is_loaded() -> None:
    with pytest.raises(InputError) as error:
        load(Path(), "hellaswag", data="lm-eval")
    message = str(error.value)
    assert message.startswith("task 'hellaswag' runs Python code (utils.process_docs in ")
    assert message.endswith(
        "tasks/hellaswag), and only code of a folder that 'data' names is run: read it, and name that folder, or a "
        "copy of it, as 'data'"
    )


def test_an_installed_task_whose_data_is_not_here_is_refused_in_one_line() -> None:
    with pytest.raises(InputError, match=r"^task 'arc_easy' can't be loaded: \w+Error: .*$"):
        load(Path(), "arc_easy", data="lm-eval")


def test_code_outside_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "part.yaml").write_text("process_docs: !function code.doubled\n")
    (tmp_path / "outside" / "code.py").write_text(CODE)
    write_sums(tmp_path / "mine", "include: ../outside/part.yaml\n")
    with pytest.raises(InputError, match="only code of a folder that 'data' names is run"):
        load(tmp_path / "mine", "sums")


def test_included_settings_count_less(tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text("doc_to_text: other\ntarget_delimiter: '-'\n")
    write_sums(tmp_path, "include: part.yaml\n")
    config = read_task("sums", tmp_path).config
    assert (config["doc_to_text"], config["target_delimiter"]) == ("{{question}}", "-")


def key(folder: Path, task: str = "sums", **fields: Any) -> str:
    return load(folder, task, **fields).key


def test_the_key_has_content_and_no_paths(tmp_path: Path) -> None:
    for folder in ("here", "there"):
        write_sums(tmp_path / folder, OWN_CODE)
        (tmp_path / folder / "code.py").write_text(CODE)
    before = key(tmp_path / "here")
    assert key(tmp_path / "there", name="renamed") == before
    assert key(tmp_path / "here", filter="whole") != before
    assert key(tmp_path / "here", template="So: {question}") != before
    (tmp_path / "there" / "code.py").write_text(CODE + "\n")
    assert key(tmp_path / "there") != before
    write_sums(tmp_path / "here", OWN_CODE, metric_list=[{**SUMS["metric_list"][0], "ignore_case": True}])
    assert key(tmp_path / "here") != before


@pytest.mark.parametrize(
    ("changes", "fields", "message"),
    [
        ({"output_type": "loglikelihood_rolling"}, {}, "has the output type loglikelihood_rolling: those that are "
         "asked are multiple_choice, loglikelihood, generate_until"),
        ({"repeats": 4}, {}, "asks for several answers a question: write a task file with repeats: 1"),
        ({"unsafe_code": True}, {}, "runs code that models write, which is never done: choose another"),
        ({"doc_to_image": "image"}, {}, "shows images or sounds: choose one of text"),
        ({"generation_kwargs": {"do_sample": True}}, {}, "samples its answers: write a task file with "
         "do_sample: false"),
        ({"class": "Sums"}, {}, "is a Python class: only tasks in YAML are asked"),
        ({"doc_to_text": "{{missing}}"}, {}, "can't be loaded: UndefinedError: \"'missing' is undefined\""),
        ({}, {"num_fewshot": 1}, "takes its few-shot examples from its split 'validation', which is scored: set "
         "num_fewshot: 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_in_one_line(
    tmp_path: Path, changes: dict[str, Any], fields: dict[str, Any], message: str
) -> None:
    write_sums(tmp_path, **changes)
    with pytest.raises(InputError) as error:
        load(tmp_path, "sums", **fields)
    assert str(error.value) == f"task 'sums' {message}"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"metric": "brier_score"}, "task 'pets': its metric 'brier_score' can't be had of one answer of an engine: "
         "set metric: acc"),
        ({"metric": "f1"}, "task 'pets': metric: it has no 'f1', but acc, acc_norm, brier_score: name one of them"),
        ({"filter": "x"}, "task 'pets': filter: it has no 'x', but none: name one of them"),
        ({"task": "cats"}, "{folder}: no .yaml file has the line 'task: cats': correct 'task' or 'data'"),
        ({"data": "nowhere"}, "{folder}/nowhere: there is no such folder: name the one that has the file of the task "
         "'pets'"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_refused_with_those_that_there_are(
    tmp_path: Path, fields: dict[str, Any], message: str
) -> None:
    write_pets(tmp_path)
    with pytest.raises(InputError) as error:
        load(tmp_path, fields.pop("task", "pets"), **fields)
    assert str(error.value) == message.format(folder=tmp_path)


def test_several_prompts_for_one_example_are_refused(tmp_path: Path) -> None:
    write_pets(tmp_path, doc_to_text="{{label}}", doc_to_target="{{question}}")
    with pytest.raises(InputError, match=r"^task 'pets': dev\[0\] is asked by several prompts, which can't be done"):
        load(tmp_path, "pets")


def test_examples_of_our_own_are_refused_for_theirs(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a task of lm-eval draws its own: set num_fewshot instead"):
        load(tmp_path, "pets", examples=2)


@pytest.mark.parametrize(
    "response", [Completion("a", 1), LogLikelihoods((-1.0,), (1,)), LogLikelihoods((float("nan"),) * 4, (1,) * 4)]
)
def test_an_answer_of_the_wrong_shape_is_a_failed_evaluation(
    tmp_path: Path, response: Completion | LogLikelihoods
) -> None:
    write_pets(tmp_path)
    with pytest.raises(EvaluationError, match="the engine "):
        load(tmp_path, "pets", dev=1).score("dev", [response])


def test_two_files_of_one_task_are_refused(tmp_path: Path) -> None:
    write_sums(tmp_path)
    write_sums(tmp_path / "again")
    with pytest.raises(InputError, match="2 files have the line 'task: sums'"):
        load(tmp_path, "sums")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("include: sums.yaml\n", "includes itself: correct 'include'"),
        (
            "x: !python/object/apply:os.system [ls]\n",
            "column 4: could not determine a constructor",
        ),
    ],
)
def test_a_task_file_that_is_no_data_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    write_sums(tmp_path, text)
    with pytest.raises(InputError) as error:
        load(tmp_path, "sums")
    assert problem in str(error.value)
    assert "\n" not in str(error.value)


def test_without_lm_eval_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.harness.task_files.find_spec", lambda name: None)
    with pytest.raises(InputError) as error:
        load(tmp_path, "pets")
    assert str(error.value) == "kind lm_eval: lm-eval is not installed: pip install --editable '.[lm-eval]'"
