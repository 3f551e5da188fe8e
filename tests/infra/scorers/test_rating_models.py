"""Classifiers and reward models against transformers' own answers, a text at a time."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from data.outside import Classifier, Item, Rating, Rewarder
from infra.scorers.classifier import ClassifierScorer, classifier_identity
from infra.scorers.rewarder import RewardScorer, reward_identity
from infra.settings import Settings
from swarm.errors import EvaluationError, InputError
from tests.tiny import make_base
from tests.tiny_raters import edit_config, make_rater

TEXTS = ["Good.", "A much longer answer than the others, which goes on and on.", "No!", "Why not?" * 9, "x"]
ITEMS = [Item(f"Question {n}?", text, "") for n, text in enumerate(TEXTS)]


@pytest.fixture
def reward(tmp_path: Path) -> Path:
    return make_rater(tmp_path / "reward")


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    return make_rater(tmp_path / "classifier", labels=("fine", "toxic", "odd"))


def alone(folder: Path, text: str) -> torch.Tensor:
    """The numbers that transformers gives for one text, without a batch."""
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        return model(**tokenizer(text, return_tensors="pt")).logits[0]


def rewards(folder: Path, settings: Settings, items: list[Item] = ITEMS) -> list[Rating]:
    scorer = RewardScorer(Rewarder(model=str(folder), device="cpu"), settings)
    try:
        return scorer.score(items, lambda done, total: None)
    finally:
        scorer.close()


def probabilities(folder: Path, label: str, settings: Settings) -> list[float]:
    scorer = ClassifierScorer(Classifier(kind="classifier", model=str(folder), label=label, device="cpu"), settings)
    try:
        return [rating.value for rating in scorer.score(ITEMS, lambda done, total: None)]
    finally:
        scorer.close()


def test_a_reward_is_that_of_the_chat_and_a_length_that_of_the_answer_alone(reward: Path, settings: Settings) -> None:
    found = rewards(reward, settings)
    chats = [f"[user]{item.question}[assistant]{item.text}[assistant]"[: -len("[assistant]")] for item in ITEMS]
    expected = [alone(reward, f"[user]{item.question}[assistant]{item.text}[assistant]").item() for item in ITEMS]
    assert [rating.value for rating in found] == pytest.approx(expected, abs=1e-5)
    assert [rating.tokens for rating in found] == [len(text.encode()) for text in TEXTS]
    assert len(set(chats)) == len(ITEMS)


def test_a_model_without_a_chat_template_reads_a_pair(tmp_path: Path, settings: Settings) -> None:
    folder = make_rater(tmp_path / "plain", chat=False)
    expected = [alone(folder, item.question + item.text).item() for item in ITEMS]
    assert [rating.value for rating in rewards(folder, settings)] == pytest.approx(expected, abs=1e-5)


def test_a_rating_is_the_probability_of_the_label(classifier: Path, settings: Settings) -> None:
    found = probabilities(classifier, "toxic", settings)
    assert found == pytest.approx([alone(classifier, text).softmax(-1)[1].item() for text in TEXTS], abs=1e-5)


def test_labels_that_do_not_exclude_each_other_have_probabilities_of_their_own(
    classifier: Path, settings: Settings
) -> None:
    edit_config(classifier, problem_type="multi_label_classification")
    found = probabilities(classifier, "odd", settings)
    assert found == pytest.approx([alone(classifier, text).sigmoid()[2].item() for text in TEXTS], abs=1e-5)


def test_the_same_items_get_the_same_bits_again(reward: Path, settings: Settings) -> None:
    assert rewards(reward, settings) == rewards(reward, settings)


def test_a_chat_that_is_too_long_loses_its_beginning_and_a_text_its_end(
    reward: Path, classifier: Path, settings: Settings
) -> None:
    long = Item("?" * 600, "the end", "")
    [found] = rewards(reward, settings, [long])
    shown = f"[user]{long.question}[assistant]the end[assistant]"[-512:]
    assert found.value == pytest.approx(alone(reward, shown).item(), abs=1e-5)
    scorer = ClassifierScorer(
        Classifier(kind="classifier", model=str(classifier), label="fine", device="cpu"), settings
    )
    [rating] = scorer.score([Item("", "ab" * 600, "")], lambda done, total: None)
    assert rating.value == pytest.approx(alone(classifier, "ab" * 256).softmax(-1)[0].item(), abs=1e-5)
    scorer.close()


def test_progress_may_end_it_between_batches(reward: Path, settings: Settings) -> None:
    def end(done: int, total: int) -> None:
        raise KeyboardInterrupt

    scorer = RewardScorer(Rewarder(model=str(reward), device="cpu"), settings)
    with pytest.raises(KeyboardInterrupt):
        scorer.score(ITEMS, end)
    scorer.close()


def test_a_number_that_is_not_finite_is_a_failed_evaluation(reward: Path, settings: Settings) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(reward / "model.safetensors")
    save_file({**weights, "score.weight": weights["score.weight"] * float("nan")}, reward / "model.safetensors")
    with pytest.raises(EvaluationError, match="a number that is not finite"):
        rewards(reward, settings)


# Before anything is loaded


def test_identities_change_with_the_model_and_the_label_not_with_its_place(
    reward: Path, classifier: Path, settings: Settings, tmp_path: Path
) -> None:
    moved = reward.rename(tmp_path / "moved")
    other = make_rater(tmp_path / "other", seed=3)
    first = reward_identity(Rewarder(model=str(moved)), settings)
    moved = moved.rename(reward)
    assert reward_identity(Rewarder(model=str(moved)), settings) == first
    assert reward_identity(Rewarder(model=str(other)), settings) != first
    labels = [Classifier(kind="classifier", model=str(classifier), label=label) for label in ("fine", "odd")]
    assert len({classifier_identity(label, settings) for label in labels}) == 2


def test_an_unknown_label_is_refused_with_those_that_there_are(classifier: Path, settings: Settings) -> None:
    with pytest.raises(InputError) as error:
        classifier_identity(Classifier(kind="classifier", model=str(classifier), label="Toxic"), settings)
    assert str(error.value) == f"label: model '{classifier}' has no 'Toxic': choose from fine, toxic, odd"


def test_a_classifier_is_no_reward_model(classifier: Path, settings: Settings) -> None:
    with pytest.raises(InputError, match="has 3 outputs: name a reward model, which has one"):
        reward_identity(Rewarder(model=str(classifier)), settings)


def test_a_language_model_is_no_reward_model_whatever_its_configuration_says(
    tmp_path: Path, settings: Settings
) -> None:
    base = make_base(tmp_path / "base")
    edit_config(base, id2label={"0": "reward"}, label2id={"reward": 0})
    with pytest.raises(InputError, match=r"has no weights for score\.weight: it is no sequence classification model"):
        rewards(base, settings)


def test_code_that_comes_with_a_model_is_never_run(reward: Path, settings: Settings, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    (reward / "evil.py").write_text(f"open({str(canary)!r}, 'w').close()\nclass Evil: ...\n")
    code = {"AutoConfig": "evil.Evil", "AutoModelForSequenceClassification": "evil.Evil", "AutoModel": "evil.Evil"}
    edit_config(reward, model_type="internlm2", architectures=["Evil"], auto_map=code)
    with pytest.raises(InputError, match="code that comes with a model is never run"):
        reward_identity(Rewarder(model=str(reward)), settings)
    assert not canary.exists()


@pytest.mark.parametrize("name", ["nowhere", "a/b/c", "smollm2-135m-instruct"])
def test_a_name_is_a_folder_or_a_hub_id(settings: Settings, name: str) -> None:
    with pytest.raises(InputError, match="is neither a folder nor a hub id"):
        reward_identity(Rewarder(model=name), settings)


def test_a_missing_and_a_damaged_model_are_refused(reward: Path, settings: Settings) -> None:
    with pytest.raises(InputError, match="model 'owner/name' can't be used for rating"):
        reward_identity(Rewarder(model="owner/name"), settings)
    (reward / "model.safetensors").write_bytes(b"x")
    with pytest.raises(InputError, match="can't be used for rating: base model is damaged"):
        reward_identity(Rewarder(model=str(reward)), settings)


def test_a_gpu_that_is_not_there_is_refused(reward: Path, settings: Settings) -> None:
    with pytest.raises(InputError, match="device: cuda:99: PyTorch sees"):
        reward_identity(Rewarder(model=str(reward), device="cuda:99"), settings)
