"""Runs of earlier versions, killed in the middle, go on with this one to the end that they would have had.

The records know the libraries that an engine computed with, and refuse a run that would go on with others. On a
machine with other libraries, or another engine version, the test therefore pretends that they are the recorded ones;
then, or on another kind of CPU, the last bits of what is computed now may differ, so only there the hashes at the end
are not compared.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from infra.records.store import Records
from infra.records.values import IterationRecord
from tests.crash.crash_records import Ending
from tests.flows.searches import finished, records_url
from tests.old_runs.old_runs import HERE, OLD_RUNS, OldRun, copy_run, hashes, use_recorded_engine
from tests.tiny_search import RUN

torch.set_num_threads(1)


@dataclass(frozen=True)
class Continued:
    """An old run, what was recorded of it, and how it ended now."""

    run: OldRun
    groups: dict[str, int]
    iterations: list[IterationRecord]
    ending: Ending


@pytest.fixture(scope="module", params=OLD_RUNS, ids=lambda kept: "-".join(kept.relative_to(HERE).parts))
def continued(
    request: pytest.FixtureRequest, prefect_api: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Continued]:
    run = copy_run(request.param, tmp_path_factory.mktemp("old") / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SWARM_RUNS", str(run.runs))
        patch.setenv("SWARM_CACHE", str(run.runs.parent / "cache"))
        patch.delenv("SWARM_DATABASE_URL", raising=False)
        use_recorded_engine(patch, run.records)
        groups, iterations = finished(run.runs), recorded_iterations(run.runs)
        yield Continued(run, groups, iterations, run.go_on())


def recorded_iterations(runs: Path) -> list[IterationRecord]:
    with Records(records_url(runs)) as records:
        return list(records.iterations(RUN))


def test_it_was_killed_in_the_middle(continued: Continued) -> None:
    assert continued.groups
    assert len(continued.groups) < len(continued.ending.groups)


def test_no_finished_evaluation_is_repeated(continued: Continued) -> None:
    assert continued.groups.items() <= continued.ending.groups.items()
    assert set(continued.ending.groups.values()) == {1}


def test_recorded_iterations_stay_as_they_were(continued: Continued) -> None:
    now = recorded_iterations(continued.run.runs)
    assert now[: len(continued.iterations)] == continued.iterations
    assert len(now) > len(continued.iterations)


def test_it_ends_with_the_state_and_weights_of_an_uninterrupted_run_of_the_old_version(continued: Continued) -> None:
    ended = hashes(continued.run.runs)
    assert all(len(sha256) == 64 for sha256 in ended.values())
    if continued.run.made_on_such_a_machine:
        assert ended == continued.run.expected


def test_every_search_has_a_run_of_every_version() -> None:
    kept = {(path.parent.name, path.name) for path in OLD_RUNS}
    searches = {"model-swarms", "heterogeneous-swarms", "evolution-strategies"}
    assert kept and kept == {(version, search) for version, _ in kept for search in searches}
