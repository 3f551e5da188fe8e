"""Reward models with `get_scores`: loaded by a class that the user names, never by what lies beside the weights."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from data.kinds.reward_model import RewardModel
from data.outside import Item, Rating, Rewarder
from data.user_code import load
from infra.scorers.rewarder import RewardScorer, reward_identity
from infra.settings import Settings
from swarm.errors import EvaluationError, InputError
from tests.tiny_raters import make_rater, make_scoring_model

TEXTS = ["Good.", "A much longer answer than the others, which goes on and on.", "No!", "Why not?" * 9, "x"]
ITEMS = [Item(f"Question {n}?", text, "") for n, text in enumerate(TEXTS)]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = make_scoring_model(tmp_path / "model", tmp_path / "rewards.py")
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'canary')!r}, 'w').close()\nclass Evil: ...\n")
    return folder


def rewarder(model: Path, name: str = "rewards:Helpful", folder: Path | None = None) -> Rewarder:
    return Rewarder(model=str(model), device="cpu", model_class=name, folder=str(folder or model.parent))


def rewards(config: Rewarder, settings: Settings) -> list[Rating]:
    scorer = RewardScorer(config, settings)
    try:
        return scorer.score(ITEMS, lambda done, total: None)
    finally:
        scorer.close()


def replaced(model: Path, old: str, new: str) -> Rewarder:
    """Change the class's source, and return a rewarder that uses it."""
    path = model.parent / "rewards.py"
    source = path.read_text()
    assert old in source
    path.write_text(source.replace(old, new))
    return rewarder(model)


def test_a_reward_is_what_get_scores_says_of_question_and_answer(
    model: Path, settings: Settings, tmp_path: Path
) -> None:
    found = rewards(rewarder(model), settings)
    kind = load("rewards:Helpful", tmp_path).value
    alone = kind.from_pretrained(model).eval()
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    with torch.inference_mode():
        expected = [
            alone.get_score(
                tokenizer, [{"role": "user", "content": i.question}, {"role": "assistant", "content": i.text}]
            )
            for i in ITEMS
        ]
    assert [rating.value for rating in found] == pytest.approx(expected, abs=1e-6)
    assert len(set(expected)) == len(ITEMS)
    assert [rating.tokens for rating in found] == [len(text.encode()) for text in TEXTS]


def test_code_that_comes_with_the_model_is_never_run(model: Path, settings: Settings, tmp_path: Path) -> None:
    rewards(rewarder(model), settings)
    with pytest.raises(InputError, match="has no weights for score"):
        RewardScorer(Rewarder(model=str(model), device="cpu"), settings)
    assert not (tmp_path / "canary").exists()


def test_an_installed_module_is_found_where_python_looks(
    model: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "installed").mkdir()
    (tmp_path / "rewards.py").rename(tmp_path / "installed" / "a_reward_package.py")
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    assert len(rewards(rewarder(model, "a_reward_package:Helpful"), settings)) == len(ITEMS)


def test_the_identity_is_that_of_weights_and_source_and_not_of_places(
    model: Path, settings: Settings, tmp_path: Path
) -> None:
    first = reward_identity(rewarder(model), settings)
    other = tmp_path / "other"
    other.mkdir()
    (other / "rewards.py").write_bytes((tmp_path / "rewards.py").read_bytes())
    assert reward_identity(rewarder(model, folder=other), settings) == first
    assert reward_identity(replaced(model, "[0, -1]", "[0, -2]"), settings) != first


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (".item()", ".item() + int('no!')", "raised ValueError: invalid literal"),
        (".item()", ".expand(2)", "raised ValueError: only one element tensors"),
        (".item()", ".item() * float('nan')", r"gave \[nan.*\] for 5 conversations: it must be a finite number each"),
        ("in conversations]", "in conversations[1:]]", r"gave \[.*\] for 5 conversations"),
    ],
)
def test_what_is_no_reward_is_a_failed_evaluation(
    model: Path, settings: Settings, old: str, new: str, message: str
) -> None:
    with pytest.raises(EvaluationError, match=message):
        rewards(replaced(model, old, new), settings)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere:Helpful", "model_class 'nowhere:Helpful': there is no module nowhere"),
        ("rewards:Missing", r"is no transformers\.PreTrainedModel with get_scores"),
        ("rewards:torch", r"is no transformers\.PreTrainedModel with get_scores"),
        ("rewards:LlamaModel", r"is no transformers\.PreTrainedModel with get_scores"),
    ],
)
def test_a_class_that_can_t_score_is_refused_before_anything_is_loaded(
    model: Path, settings: Settings, name: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        reward_identity(rewarder(model, name), settings)


def test_weights_of_another_class_are_refused(model: Path, settings: Settings, tmp_path: Path) -> None:
    other = make_rater(tmp_path / "classifier")
    with pytest.raises(InputError, match=r"has no weights for v_head\.weight: it is no Helpful"):
        rewards(rewarder(other, folder=tmp_path), settings)


def test_a_class_is_named_and_found_beside_the_configuration(tmp_path: Path) -> None:
    fields = {"kind": "reward_model", "data": "d.json", "model": "owner/name", "model_class": "rewards:Helpful"}
    config = RewardModel.model_validate(fields, context={"folder": tmp_path})
    assert config.outside == Rewarder(model="owner/name", model_class="rewards:Helpful", folder=str(tmp_path))
    with pytest.raises(ValidationError, match="'rewards' is not module:Class: write for instance"):
        RewardModel.model_validate({**fields, "model_class": "rewards"})
