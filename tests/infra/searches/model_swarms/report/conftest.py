from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.searches.model_swarms.report.evidence import Evidence, read_evidence
from swarm.parameters import Parameters
from tests.infra.searches.model_swarms.report.made_up_run import MadeUpRun


@pytest.fixture
def made_up(tmp_path: Path) -> Iterator[MadeUpRun]:
    run = MadeUpRun(tmp_path, Parameters(particles=8), examples=40)
    yield run
    run.records.close()


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """Two tasks, five iterations with skipped particles, tested."""
    parameters = Parameters(particles=8, drop_particle=0.2)
    run = MadeUpRun(tmp_path_factory.mktemp("finished"), parameters, tasks=("facts", "sums"), examples=40)
    run.finish(run.search(5))
    evidence = read_evidence(run.records, run.name)
    run.records.close()
    return evidence
