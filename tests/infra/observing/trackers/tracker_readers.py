"""What each tracker's own files hold of a run, read by the tracker's package (W&B has no reader: by its format)."""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from infra.configs.trackers import TrackerName
from infra.observing.trackers.base import TrackedRun

Points = list[tuple[int, float]]
"""(iteration, value), one for every time that it was written and is still shown."""

_MLFLOW_EXPERIMENT, _PROJECT = "model-swarms", "model-swarms"


def points(name: TrackerName, run: TrackedRun, figure: str) -> Points:
    """Return every point of a figure that is shown."""
    reader: Callable[[TrackedRun, str], Points] = {
        "mlflow": _mlflow_points,
        "tensorboard": _tensorboard_points,
        "trackio": _trackio_points,
        "wandb": _wandb_points,
    }[name]
    return sorted(reader(run, figure))


def ending(name: TrackerName, run: TrackedRun) -> str:
    """Return everything that is shown of the run's end, as one text."""
    reader: Callable[[TrackedRun], str] = {
        "mlflow": lambda run: str({**_mlflow_run(run).data.tags, "status": _mlflow_run(run).info.status}),
        "tensorboard": _tensorboard_text,
        "trackio": lambda run: str([row.get("summary") for row in _trackio_rows(run)]),
        "wandb": lambda run: str([item for record in _wandb_records(run) for item in record.summary.update]),
    }[name]
    return reader(run)


def _mlflow_client(run: TrackedRun):
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{run.folder.parent / '.swarm' / 'mlflow.db'}")


def _mlflow_run(run: TrackedRun):
    client = _mlflow_client(run)
    experiment = client.get_experiment_by_name(_MLFLOW_EXPERIMENT)
    [found] = client.search_runs([experiment.experiment_id], f"tags.`swarm.run` = '{run.id}'")
    return found


def _mlflow_points(run: TrackedRun, figure: str) -> Points:
    history = _mlflow_client(run).get_metric_history(_mlflow_run(run).info.run_id, figure)
    return [(metric.step, metric.value) for metric in history]


def _tensorboard(run: TrackedRun):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(run.folder / "tensorboard")).Reload()


def _tensorboard_points(run: TrackedRun, figure: str) -> Points:
    return [(event.step, event.value) for event in _tensorboard(run).Scalars(figure)]


def _tensorboard_text(run: TrackedRun) -> str:
    events = _tensorboard(run).Tensors("summary/text_summary")
    return str([event.tensor_proto.string_val for event in events])


def _trackio_rows(run: TrackedRun):
    from trackio.sqlite_storage import SQLiteStorage

    return SQLiteStorage.get_logs(_PROJECT, run.id)


def _trackio_points(run: TrackedRun, figure: str) -> Points:
    return [(row["step"], row[figure]) for row in _trackio_rows(run) if figure in row]


def _wandb_points(run: TrackedRun, figure: str) -> Points:
    rows = [record.history for record in _wandb_records(run) if record.HasField("history")]
    found = [
        (row.step.num, {"/".join(item.nested_key) or item.key: item.value_json for item in row.item}) for row in rows
    ]
    return [(step, float(values[figure])) for step, values in found if figure in values]


def _wandb_records(run: TrackedRun):
    """Yield the records of all offline files of the run: W&B's records in the format of LevelDB's logs."""
    from wandb.proto import wandb_internal_pb2

    for path in sorted((run.folder / "wandb").glob(f"offline-run-*-{run.id}/*.wandb")):
        for content in _log_records(path):
            yield wandb_internal_pb2.Record.FromString(content)


def _log_records(path: Path) -> Iterator[bytes]:
    content, at, whole = path.read_bytes(), 7, b""
    while at + 7 <= len(content):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + 7])
        whole += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or its last part
            yield whole
            whole = b""
