import re
from pathlib import Path

from prometheus_client import CollectorRegistry

from infra.configs.trackers import TRACKER_PLUGINS
from infra.observing.metrics import Metrics
from infra.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_settings_that_the_page_names_are_ones_that_there_are() -> None:
    named = set(re.findall(r"SWARM_[A-Z_]*[A-Z]", PAGE))
    assert named
    assert named <= {f"SWARM_{name.upper()}" for name in Settings.model_fields}


def test_every_tracker_is_in_the_table() -> None:
    assert re.findall(r"^\| `(mlflow|tensorboard|trackio|wandb)` \|", PAGE, re.MULTILINE) != []
    assert all(f"| `{name}` |" in PAGE for name in TRACKER_PLUGINS.built_in)


def test_every_metric_is_on_the_page_and_no_other() -> None:
    registry = CollectorRegistry()
    Metrics(registry, "run", "algorithm")
    kinds = {metric.name: metric.type for metric in registry.collect()}
    served = {f"{name}_total" if kind == "counter" else name for name, kind in kinds.items()}
    assert set(re.findall(r"`(swarm_\w+)", PAGE)) == served


def test_files_that_the_page_names_exist() -> None:
    named = set(re.findall(r"\b(?:deploy|tests)/[\w./-]*\w", PAGE)) - {"deploy/.env"}
    assert named
    assert all((ROOT / name).exists() for name in named)
