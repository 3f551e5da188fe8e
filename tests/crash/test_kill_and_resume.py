"""Twenty-five kills of the benchmark `bench/crash.py`, which makes hundreds; it says what each property means."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "crash.py"
KILLS = {"sigkill": 13, "sigint": 4, "sigterm": 4, "double": 4}

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    result = tmp_path_factory.mktemp("crash") / "trials.json"
    options = [option for kind, count in KILLS.items() for option in (f"--{kind}", str(count))]
    done = subprocess.run([sys.executable, BENCH, *options, "--json", result], capture_output=True, text=True)
    assert result.exists(), done.stderr
    return {**json.loads(result.read_text()), "code": done.returncode, "output": done.stdout}


def test_every_killed_run_resumes_to_the_state_and_adapter_of_an_uninterrupted_one(killed: dict[str, Any]) -> None:
    endings = {(trial["state"], trial["adapter"]) for trial in killed["trials"]}
    assert len(killed["trials"]) == sum(KILLS.values())
    assert endings == {(killed["uninterrupted"]["state"], killed["uninterrupted"]["adapter"])}, killed["output"]


def test_no_finished_evaluation_is_repeated(killed: dict[str, Any]) -> None:
    assert [trial["repeated"] for trial in killed["trials"]] == [0] * sum(KILLS.values())


def test_nothing_else_is_wrong_and_the_benchmark_says_so(killed: dict[str, Any]) -> None:
    assert [trial["problems"] for trial in killed["trials"]] == [[]] * sum(KILLS.values())
    assert killed["code"] == 0
    assert killed["output"].splitlines()[-1].startswith("passed: 25 of 25 ")


def test_kills_hit_evaluations_and_what_lies_between_them(killed: dict[str, Any]) -> None:
    places = {place.split(",")[0] for trial in killed["trials"] for place in trial["places"]}
    assert places >= {"inside evaluate", "between"}
