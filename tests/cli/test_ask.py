"""`swarm ask` and `swarm serve` on finished runs: one model, and a system of models."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from experts.export import export_adapter
from flows.searches import prepare
from infra.configs.systems import SystemConfig
from infra.configs.yaml_files import load_config
from infra.files.run_folder import RunFolder
from infra.records.values import RunStatus
from infra.searches.model_swarms.config import ModelSwarmsConfig
from infra.settings import Settings
from infra.systems.artefact import save_system
from swarm.graphs import Dag
from swarm.recipes import Recipe, Space
from swarm.systems import System
from tests.cli.command_line import Command, RecordRun, World

PROMPTS = SystemConfig(source="{question}", later="{responses}\n{question}", response="{response}", max_new_tokens=4)
CHAT = {"objective.tasks": "[{kind: exact_match, match: word, data: words.json, prompt: chat, max_new_tokens: 6}]"}


def publish(world: World, settings: Settings, name: str, system: bool) -> None:
    """Write the best of the run `name`: its first expert, or a system of all three."""
    config = load_config(world.config, ModelSwarmsConfig, [f"name={name}", *(f"{k}={v}" for k, v in CHAT.items())])
    inputs, folder = prepare(config, settings), RunFolder(settings.runs, name).best
    recipes = [Recipe(inputs.bases, row, Space.FACTORS) for row in ((1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0))]
    if system:
        save_system(folder, System(Dag((2, 2, None)), tuple(recipes), ("", "Doubt.", ""), (0, 1, 2)), inputs, PROMPTS)
    else:
        export_adapter(inputs.basis, recipes[0], folder, inputs.base)  # type: ignore[arg-type]


@pytest.fixture
def finished(world: World, settings: Settings, record_run: RecordRun) -> None:
    for name in ("alone", "team"):
        record_run(name=name, iterations=0, status=RunStatus.FINISHED, **CHAT)
        publish(world, settings, name, system=name == "team")


def test_a_model_is_asked_one_question(finished: None, command: Command) -> None:
    outcome = command("ask", "alone", "Which is A?")
    assert outcome.code == 0 and outcome.err == ""
    result = command("ask", "alone", "Which is A?", "--json").json
    assert result["answer"] == outcome.out.strip()
    assert [node["model"] for node in result["nodes"]] == ["best"]
    assert 1 <= result["generated_tokens"] <= 6


def test_a_system_shows_what_each_node_answered(finished: None, command: Command) -> None:
    result = command("ask", "team", "Which is A?", "--json").json
    assert [(node["node"], node["model"], node["role"]) for node in result["nodes"]] == [
        (0, "one", ""),
        (1, "two", "Doubt."),
        (2, "three", ""),
    ]
    assert result["answer"] == result["nodes"][-1]["answer"]
    output = command("ask", "team", "Which is A?", "--verbose")
    assert "two" in output.out and "Doubt." in output.out


def test_answers_end_where_they_are_told(finished: None, command: Command) -> None:
    result = command("ask", "alone", "Which is A?", "--json", "--max-tokens", "1").json
    assert (result["generated_tokens"], result["cut"]) == (1, True)


def test_what_can_t_be_asked_is_refused(
    world: World, settings: Settings, record_run: RecordRun, command: Command
) -> None:
    record_run(name="begun")
    assert "swarm resume begun" in command("ask", "begun", "Why?").error
    assert "did you mean 'begun'" in command("ask", "begn", "Why?").error
    assert "the question is empty" in command("ask", "begun", " ").error
    publish(world, settings, "begun", system=True)
    (RunFolder(settings.runs, "begun").best / "system.json").write_text("{}")
    assert "system.json: " in command("ask", "begun", "Why?").error


@contextmanager
def served(settings: Settings, name: str, *arguments: str, **environment: str) -> Iterator[str]:
    """Run `swarm serve` as a process of its own; give the endpoint's URL, and see that it ends well."""
    program = [sys.executable, "-m", "cli", "serve", name, "--port", "0", *arguments]
    own = {"SWARM_RUNS": str(settings.runs), "SWARM_CACHE": str(settings.cache), **environment}
    process = subprocess.Popen(program, env=os.environ | own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None, process.communicate()[1]
        yield found[0]
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=60)[1].strip() == "ended"
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def body(text: str = "Which is A?", **fields: Any) -> dict[str, Any]:
    return {"model": "team", "messages": [{"role": "user", "content": text}], **fields}


@pytest.mark.slow
def test_a_system_is_offered_as_an_openai_endpoint(finished: None, settings: Settings, command: Command) -> None:
    asked = [f"Which is {letter}?" for letter in "ABC"]
    expectation = [command("ask", "team", text, "--json").json["answer"] for text in asked]
    with served(settings, "team") as url, httpx.Client(base_url=url, timeout=120) as client:
        assert [model["id"] for model in client.get("/models").json()["data"]] == ["team"]
        with ThreadPoolExecutor() as pool:
            replies = list(pool.map(lambda text: client.post("/chat/completions", json=body(text)), asked * 4))
        assert [_answer(reply) for reply in replies] == expectation * 4
        cut = client.post("/chat/completions", json=body(max_tokens=1)).json()
        assert cut["choices"][0]["finish_reason"] == "length" and cut["object"] == "chat.completion"
        _refusals(client, url)


def _answer(reply: httpx.Response) -> str:
    assert reply.status_code == 200, reply.text
    return str(reply.json()["choices"][0]["message"]["content"])


def _refusals(client: httpx.Client, url: str) -> None:
    def refused(status: int, message: str, **arguments: Any) -> None:
        reply = client.post("/chat/completions", **arguments)
        assert reply.status_code == status and message in reply.json()["error"]["message"]

    refused(400, "answers are sent whole", json=body(stream=True))
    refused(404, "no model 'gpt-4'", json=body(model="gpt-4"))
    refused(400, "no JSON", content=b"{", headers={"content-type": "application/json"})
    refused(413, "larger than", content=b" " * 300_000, headers={"content-type": "application/json"})
    refused(415, "application/json", content=b"{}", headers={"content-type": "text/plain"})
    refused(403, "another name", json=body(), headers={"host": "evil.example"})
    refused(400, "tokens", json=body("x" * 2000))
    assert client.get("/nothing").json()["error"]["type"] == "invalid_request_error"
    assert client.get(url.replace("/v1", "/docs")).status_code == 404


@pytest.mark.slow
def test_a_host_that_others_reach_needs_a_key(finished: None, settings: Settings, command: Command) -> None:
    assert "set SWARM_SERVE_KEY" in command("serve", "team", "--host", "0.0.0.0").error
    key = "a-key-of-some-length"
    with served(settings, "team", "--host", "0.0.0.0", SWARM_SERVE_KEY=key) as url:
        url = url.replace("0.0.0.0", "127.0.0.1")
        for sent in ({}, {"authorization": "Bearer wrong"}, {"authorization": key}):
            assert httpx.get(f"{url}/models", headers=sent).status_code == 401
        assert httpx.get(f"{url}/models", headers={"authorization": f"Bearer {key}"}).status_code == 200


def test_an_address_that_is_taken_is_refused(finished: None, command: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "can't listen at" in command("serve", "alone", "--port", taken.getsockname()[1]).error
