"""What people watch in the Prefect UI: the utility curve and the particle table, updated in place."""

import json
import math
import time
from typing import cast
from uuid import UUID

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactUpdate

from infra.open_run import OpenRun
from infra.report.curve_svg import data_uri, utility_curve_svg
from swarm.state import State

SECONDS_BETWEEN = 2.0
"""A search whose iterations are faster is shown only so often: an update costs two requests, a fifth of such a one."""


class LiveArtifacts:
    """Two artifacts of the flow run under way; creating a key again would make another card, so they are updated."""

    def __init__(self, run: OpenRun) -> None:
        self._run = run
        self._states: list[State] = []
        self._curve: UUID | None = None
        self._table: UUID | None = None
        self._shown = -math.inf

    def update(self, state: State, last: bool) -> None:
        """Show `state`, the latest iteration; the `last` of a search is always shown."""
        self._states.append(state)
        if not last and time.monotonic() - self._shown < SECONDS_BETWEEN:
            return
        self._shown = time.monotonic()
        key = self._run.config.name.lower().replace("_", "-")
        curve = self._markdown(state)
        table = self._rows(state)
        if self._curve is None or self._table is None:
            self._curve = cast(UUID, create_markdown_artifact(curve, f"{key}-curve", "Utility by iteration"))
            self._table = cast(UUID, create_table_artifact(table, f"{key}-particles", "Particles, latest iteration"))
            return
        with get_client(sync_client=True) as client:
            client.update_artifact(self._curve, ArtifactUpdate(data=curve))
            client.update_artifact(self._table, ArtifactUpdate(data=json.dumps(table)))

    def _markdown(self, state: State) -> str:
        best = state.global_best
        found = f"{best.utility:.4f} (particle {best.particle}, iteration {best.iteration})" if best else "none yet"
        picture = data_uri(utility_curve_svg(self._states))
        return f"**Iteration {state.iteration}** — global best {found}\n\n![utility by iteration]({picture})\n"

    def _rows(self, state: State) -> list[dict[str, object]]:
        names = self._run.inputs.names
        return [
            {
                "particle": i,
                "utility": state.utilities[i],
                "personal best": state.personal_best_utilities[i],
                "restarted": state.restarted[i],
                **{name: round(float(c), 4) for name, c in zip(names, state.positions[i], strict=True)},
            }
            for i in range(len(state.positions))
        ]
