"""Show the utility curve and the particle table in the Prefect UI, updated in place."""

import json
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import cast
from uuid import UUID

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactUpdate
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, ArtifactFilterKey
from prefect.runtime import flow_run

from infra.observing.views import IterationView
from infra.report.curve_svg import data_uri, utility_curve_svg
from infra.report.markdown import plain

SECONDS_BETWEEN = 2.0
"""A search whose iterations are faster is shown only so often: an update costs two requests, a fifth of such a one."""


class LiveArtifacts:
    """Two artifacts of the flow run under way; creating a key again would make another card, so they are updated."""

    def __init__(self, name: str) -> None:
        """`name` is the run's."""
        self._key = name.lower().replace("_", "-")
        self._views: list[IterationView] = []
        self._curve: UUID | None = None
        self._table: UUID | None = None
        self._last_update = -math.inf

    def update(self, view: IterationView, last: bool) -> None:
        """Show `view`, the latest iteration; the `last` of a search is always shown."""
        self._views.append(replace(view, columns=(), rows=()))
        if not last and time.monotonic() - self._last_update < SECONDS_BETWEEN:
            return
        self._last_update = time.monotonic()
        curve, table = self._markdown(view), [dict(zip(view.columns, row, strict=True)) for row in view.rows]
        if self._curve is None or self._table is None:
            self._curve = cast(UUID, create_markdown_artifact(curve, f"{self._key}-curve", "Utility by iteration"))
            self._table = cast(UUID, create_table_artifact(table, f"{self._key}-particles", "Latest iteration"))
        else:
            with get_client(sync_client=True) as client:
                client.update_artifact(self._curve, ArtifactUpdate(data=curve))
                client.update_artifact(self._table, ArtifactUpdate(data=json.dumps(table)))
        if last:
            _delete_copies({f"{self._key}-curve": self._curve, f"{self._key}-particles": self._table})

    def _markdown(self, view: IterationView) -> str:
        best = f"{view.best:.4f} ({plain(view.best_is)})" if view.best is not None else "none yet"
        picture = data_uri(utility_curve_svg(self._views))
        return f"**Iteration {view.iteration}** — global best {best}\n\n![utility by iteration]({picture})\n"


def _delete_copies(kept: Mapping[str, UUID]) -> None:
    """Delete what else this flow run has under the keys of `kept`, and keep those ids.

    A request that got no answer in time is sent again, though the server may have made the artifact: then there are
    two, and the other one shows an early iteration for ever.
    """
    copies = ArtifactFilter(
        key=ArtifactFilterKey(any_=list(kept)), flow_run_id=ArtifactFilterFlowRunId(any_=[UUID(flow_run.id)])
    )
    with get_client(sync_client=True) as client:
        for artifact in client.read_artifacts(artifact_filter=copies):
            if artifact.id not in kept.values():
                client.delete_artifact(artifact.id)
