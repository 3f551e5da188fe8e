"""The demo, small: the real base model, the real experts, a real search, and its result in plain PEFT."""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from experts.base_models import resolve_base_model
from infra.records.store import Records
from infra.settings import Settings

pytestmark = [pytest.mark.real_model, pytest.mark.server, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
SMALL = {
    "search.max_iterations": "1",
    "search.particles": "7",
    "objective.tasks.0.dev": "3",
    "objective.tasks.0.test": "4",
    "objective.tasks.1.dev": "3",
    "objective.tasks.1.test": "4",
    "objective.tasks.2.dev": "3",
    "objective.tasks.2.test": "4",
}


LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
LISTENED: set[str] = set()
"""The addresses at which the demo's run, its Prefect server included, was seen to listen."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return (runs folder, summary) of the demo on a few examples."""
    runs = tmp_path_factory.mktemp("runs")
    environment = {**os.environ, "SWARM_RUNS": str(runs), "HF_HUB_OFFLINE": "1"}
    command = [str(Path(sys.executable).parent / "swarm"), "run", str(ROOT / "demo/model-swarms.yaml"), "--json"]
    for field, value in SMALL.items():
        command += ["--set", f"{field}={value}"]
    with (runs / "said").open("wb") as said, (runs / "errors").open("wb") as errors:
        running = subprocess.Popen(command, env=environment, stdout=said, stderr=errors)
        while running.poll() is None:
            LISTENED.update(listened(running.pid))
            time.sleep(0.2)
    assert running.returncode == 0, (runs / "errors").read_text()
    return runs, json.loads((runs / "said").read_text())


def listened(pid: int) -> set[str]:
    """Return the addresses at which a process and its children listen."""
    addresses = set()
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            connections = each.net_connections()
            addresses |= {found.laddr.ip for found in connections if found.status == psutil.CONN_LISTEN}
    return addresses


def test_it_is_heard_on_the_loopback_interface_only(run):
    assert LISTENED
    assert LISTENED <= LOOPBACK


def test_plain_peft_gives_the_very_outputs_that_the_records_show(run):
    runs, summary = run
    with Records(f"sqlite:///{runs}/.swarm/records.db") as records:
        [best] = records.run_evaluations("demo", "ending_best")
    base = resolve_base_model("smollm2-135m-instruct", Settings().cache)
    tokenizer = AutoTokenizer.from_pretrained(base.folder)
    model = AutoModelForCausalLM.from_pretrained(base.folder, dtype=torch.float32)
    model = PeftModel.from_pretrained(model, runs / "demo" / "best")
    outputs = [generate(model, tokenizer, question) for question in questions(test=4)]
    assert outputs == list(best.evaluation.outputs)
    assert best.evaluation.utility == summary["ending_best"]["test"]


def test_the_report_and_the_summary_lie_where_the_readme_says(run):
    runs, summary = run
    assert json.loads((runs / "demo" / "summary.json").read_text()) == summary
    assert "</html>" in (runs / "demo" / "report.html").read_text()
    assert (runs / "demo" / "best" / "adapter_model.safetensors").is_file()


def questions(test):
    for skill in ("sorting", "picking", "dates"):
        examples = json.loads((ROOT / "demo" / "data" / f"{skill}.json").read_text())["test"]
        for example in examples[:test]:
            yield f"{example['question']}\nAnswer:"


def generate(model, tokenizer, prompt):
    tokens = tokenizer(prompt, return_tensors="pt")
    with torch.no_grad():
        made = model.generate(**tokens, max_new_tokens=12, do_sample=False, pad_token_id=tokenizer.eos_token_id)
    text = tokenizer.decode(made[0, tokens["input_ids"].shape[1] :], skip_special_tokens=True)
    return text.partition("\n")[0]
