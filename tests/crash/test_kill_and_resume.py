"""Some kills of each search by `bench.crash.kills`, which makes hundreds; it says what each property means."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
KILLS = {
    "model-swarms": {"sigkill": 13, "sigint": 4, "sigterm": 4, "double": 4},
    "heterogeneous-swarms": {"sigkill": 6, "sigint": 1, "sigterm": 1, "double": 2},
    "evolution-strategies": {"sigkill": 6, "sigint": 1, "sigterm": 1, "double": 2},
}

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module", params=KILLS)
def killed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    result = tmp_path_factory.mktemp("crash") / "trials.json"
    options = [option for kind, count in KILLS[request.param].items() for option in (f"--{kind}", str(count))]
    command = [sys.executable, "-m", "bench.crash.kills", "--search", request.param, *options, "--json", result]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.exists(), done.stderr
    ended = {"code": done.returncode, "output": done.stdout, "kills": sum(KILLS[request.param].values())}
    return {**json.loads(result.read_text()), **ended}


def test_every_killed_run_resumes_to_the_state_and_adapter_of_an_uninterrupted_one(killed: dict[str, Any]) -> None:
    endings = {(trial["state"], trial["adapter"]) for trial in killed["trials"]}
    assert len(killed["trials"]) == killed["kills"]
    assert endings == {(killed["uninterrupted"]["state"], killed["uninterrupted"]["adapter"])}, killed["output"]


def test_no_finished_evaluation_is_repeated(killed: dict[str, Any]) -> None:
    assert [trial["repeated"] for trial in killed["trials"]] == [0] * killed["kills"]


def test_nothing_else_is_wrong_and_the_benchmark_says_so(killed: dict[str, Any]) -> None:
    assert [trial["problems"] for trial in killed["trials"]] == [[]] * killed["kills"]
    assert killed["code"] == 0
    assert killed["output"].splitlines()[-1].startswith(f"passed: {killed['kills']} of {killed['kills']} ")


def test_kills_hit_runs_under_way(killed: dict[str, Any]) -> None:
    """Where, is chance."""
    places = {place.split(",")[0] for trial in killed["trials"] for place in trial["places"]}
    assert places - {"after the end", "before the run was recorded"}
