import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from bench.evaluation.judge_server import judge_server
from data.outside import Item, Judge
from experts.base_models import resolve_base_model
from infra.engines.config import EngineConfig
from infra.scorers.judge import JudgeScorer
from infra.scorers.stop import Stop
from infra.settings import Settings
from tests.tiny import make_base
from tests.tiny_raters import edit_config

torch.set_num_threads(1)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    folder = make_base(tmp_path / "base")
    edit_config(folder, max_position_embeddings=4096)
    with judge_server(resolve_base_model(str(folder), tmp_path), EngineConfig(device="cpu", workers=1)) as url:
        yield url


def test_the_judge_asks_it_and_counts_a_random_models_ratings_as_unreadable(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARM_JUDGE_URL", address)
    monkeypatch.setenv("SWARM_CACHE", str(tmp_path / "cache"))
    scorer = JudgeScorer(Judge(model="anything", asks="quality"), Settings(), Stop())
    [rating] = scorer.score([Item("Say hello.", "Hello!", "")], lambda done, total: None)
    assert rating.unparsable
    assert scorer.counts()["completion_tokens"] == 60  # three tries of 20 tokens each
    scorer.close()


def test_conversations_at_once_are_answered_as_one_is_and_one_too_long_fails_alone(address: str) -> None:
    def ask(text: str) -> str:
        body = {"messages": [{"role": "user", "content": text}], "max_tokens": 4}
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{address}/chat/completions", json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return str(json.load(answer)["choices"][0]["message"]["content"])
        except urllib.error.HTTPError as error:
            with error:
                return str(error.code)

    texts = ["one", "two", "x" * 5000, "three", "four"]
    alone = [ask(text) for text in texts]
    with ThreadPoolExecutor(len(texts)) as pool:
        assert list(pool.map(ask, texts)) == alone
    assert [answer == "400" for answer in alone] == [False, False, True, False, False]


@pytest.mark.parametrize(("path", "body", "status"), [("/models", {}, 404), ("/chat/completions", {}, 400)])
def test_other_requests_are_refused(address: str, path: str, body: dict[str, object], status: int) -> None:
    request = urllib.request.Request(address + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    assert error.value.code == status
    error.value.close()
