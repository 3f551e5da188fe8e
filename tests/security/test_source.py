"""The source tree: nothing that runs what it reads, and checks that would see it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.security.source_rules import breaches, python_files

ROOT = Path(__file__).parents[2]
PACKAGES = ("swarm", "data", "experts", "infra", "tasks", "flows", "cli")


def test_the_source_tree_runs_nothing_that_it_reads() -> None:
    files = python_files(ROOT, PACKAGES)
    assert {path.relative_to(ROOT).parts[0] for path in files} == set(PACKAGES)
    found = [f"{path.relative_to(ROOT)}:{b.line}: {b.what}" for path in files for b in breaches(path.read_text())]
    assert found == []


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("import pickle", "import pickle"),
        ("import pickle as p, json", "import pickle"),
        ("def f():\n    from cloudpickle import loads", "from cloudpickle import"),
        ("from dill.source import x", "from dill.source import"),
        ("import torch\nx = torch.load('w.bin')", "torch.load"),
        ("from torch import load", "torch.load"),
        ("f = torch.load", "torch.load"),
        ("import yaml\nyaml.load(text, Loader=yaml.Loader)", "yaml.load"),
        ("yaml.unsafe_load(text)", "yaml.unsafe_load"),
        ("eval('1 + 1')", "eval()"),
        ("exec(code)", "exec()"),
        ("__import__(name)", "__import__()"),
        ("os.system('ls')", "os.system"),
        ("M.from_pretrained(x, trust_remote_code=True)", "trust_remote_code="),
        ("M.from_pretrained(x, trust_remote_code=config.trust)", "trust_remote_code="),
        ("subprocess.run(line, shell=True)", "shell="),
        ("numpy.load(path, allow_pickle=True)", "allow_pickle="),
    ],
)
def test_each_forbidden_thing_is_seen(source: str, what: str) -> None:
    assert [breach.what for breach in breaches(source)] == [what]


def test_what_only_looks_like_it_is_allowed() -> None:
    allowed = """
'''Says torch.load, pickle and eval( in words.'''
model.eval()
json.load(file)
yaml.safe_load(text)
M.from_pretrained(x, trust_remote_code=False)
re.compile("x")
"""
    assert breaches(allowed) == []


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("import pickle\n\nprint_it = pickle.loads\n", "TID251"),
        ("import torch\n\nweights = torch.load\n", "TID251"),
        ("import cloudpickle\n\nload = cloudpickle.loads\n", "TID251"),
        ("import marshal\n\nvalue = marshal.loads(b'')\n", "S302"),
        ("value = eval('1')\n", "S307"),
    ],
)
def test_the_linter_refuses_it_too(source: str, rule: str) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise", "--stdin-filename"]
    ended = subprocess.run([*command, "swarm/sample.py", "-"], input=source, cwd=ROOT, text=True, capture_output=True)
    assert ended.returncode == 1
    assert f" {rule} " in ended.stdout
