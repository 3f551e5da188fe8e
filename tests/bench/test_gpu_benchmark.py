"""`python -m bench.gpu.population`, on a CPU and tiny: that every row of its table is measured, not how fast."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # processes that import everything
ROOT = Path(__file__).parents[2]


def gpu_benchmark(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench.gpu.population", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_row_is_measured_and_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARM_CACHE", str(tmp_path / "cache"))
    ended = gpu_benchmark("--device", "cpu", "--quick", "--json", str(tmp_path / "table.json"))
    assert ended.returncode == 0, ended.stderr
    rows = json.loads((tmp_path / "table.json").read_text())["rows"]
    assert {(row["load"], row["population"], row["space"]) for row in rows} == {
        (load, size, space)
        for load in ("mmlu-like", "gsm8k-like", "long")
        for size in (2, 3)
        for space in ("factors", "product")
    }
    assert all(0 < row["utilisation"] < 1 and row["faster_than_peft"] > 0 for row in rows)
    assert all((row["adapters_cost"] is not None) == (row["population"] == 2) for row in rows)
    table = [line for line in ended.stdout.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(rows)
    assert {line.count("|") for line in table} == {13}


def test_a_shape_that_it_does_not_know_is_refused() -> None:
    ended = gpu_benchmark("--device", "cpu", "--shapes", "1B,2B")
    assert ended.returncode == 2
    assert "'2B' is none of 1B, 3B, 7B" in ended.stderr
