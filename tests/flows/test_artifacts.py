from uuid import UUID

import pytest
from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.objects import Artifact
from prefect.runtime import flow_run

from infra.observing.views import IterationView
from tasks.artifacts import LiveArtifacts

pytestmark = pytest.mark.usefixtures("prefect_api")


def view(iteration: int) -> IterationView:
    return IterationView(iteration, 9, (0.5,), 0.5, "particle 0", 0, None, ("particle", "utility"), ((0, 0.5),))


def artifacts_of(run: UUID) -> list[Artifact]:
    with get_client(sync_client=True) as client:
        of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run]))
        return client.read_artifacts(artifact_filter=of_run)


@pytest.mark.parametrize("iterations", [1, 3])
def test_one_curve_and_one_table_stay_though_a_request_was_sent_twice(iterations: int) -> None:
    @flow
    def search() -> str:
        create_markdown_artifact("**Iteration 0**", "sent-twice-curve")
        live = LiveArtifacts("sent_twice")
        for iteration in range(iterations):
            live.update(view(iteration), last=iteration == iterations - 1)
        create_markdown_artifact("of something else", "other")
        return flow_run.id

    other, curve, table = sorted(artifacts_of(UUID(search())), key=lambda artifact: str(artifact.key))
    assert [curve.key, table.key, other.key] == ["sent-twice-curve", "sent-twice-particles", "other"]
    assert str(curve.data).startswith(f"**Iteration {iterations - 1}** — ")
