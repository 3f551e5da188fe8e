"""TensorBoard: event files in the run's folder (tensorboard --logdir runs)."""

from collections.abc import Mapping

from infra.observing.trackers.base import Scalar, TrackedRun


class TensorBoard:
    """Event files in `tensorboard/` of the run's folder.

    Event files can only be added to, and a resumed run tells everything again: so they are written anew.
    """

    def __init__(self, run: TrackedRun) -> None:
        from torch.utils.tensorboard import SummaryWriter

        folder = run.folder / "tensorboard"
        for earlier in folder.glob("events.out.tfevents.*"):
            earlier.unlink()
        self._writer = SummaryWriter(str(folder))
        self._writer.add_text("config", _table(run.config))

    def log(self, iteration: int, figures: Mapping[str, float]) -> None:
        """See `Tracker.log`."""
        for name, value in figures.items():
            self._writer.add_scalar(name, value, iteration)
        self._writer.flush()

    def finish(self, summary: Mapping[str, Scalar]) -> None:
        """See `Tracker.finish`."""
        self._writer.add_text("summary", _table(summary))

    def close(self) -> None:
        """See `Tracker.close`."""
        self._writer.close()


def _table(values: Mapping[str, Scalar]) -> str:
    return "\n".join(["| field | value |", "|---|---|", *(f"| {key} | {value} |" for key, value in values.items())])
