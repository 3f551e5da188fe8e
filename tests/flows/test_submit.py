"""How Prefect is handed the arguments of tasks."""

from pathlib import Path
from typing import Any

import prefect.task_engine
import pytest

from tests.flows.searches import Searched, call


def test_no_swarm_is_searched_for_futures_number_by_number(
    searched: Searched, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[Any] = []
    resolve = prefect.task_engine.resolve_to_final_result

    def watched(value: Any, context: dict[str, Any]) -> Any:
        looked_at.append(value)
        return resolve(value, context)

    monkeypatch.setattr(prefect.task_engine, "resolve_to_final_result", watched)
    assert call(searched.config).result()["state_sha256"] == searched.summary["state_sha256"]
    assert looked_at
    assert not [value for value in looked_at if isinstance(value, dict) and {"positions", "recipes"} & value.keys()]
