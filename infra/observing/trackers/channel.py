"""Run a tracker in a thread of its own, so that a run neither waits for it nor fails with it."""

import logging
import queue
import threading
from collections.abc import Callable

from infra.observing.trackers.base import Tracker

logger = logging.getLogger(__name__)

TrackerCall = Callable[[Tracker], None]


class Channel:
    """Passes events to one tracker, in order; its first failure is logged, and it gets no more events."""

    def __init__(self, name: str, open_tracker: Callable[[], Tracker]) -> None:
        """`open_tracker` is called in the thread, too: it may take seconds, and may fail."""
        self._name = name
        self._open = open_tracker
        self._messages: queue.SimpleQueue[TrackerCall | None] = queue.SimpleQueue()
        # A daemon, so that a tracker that hangs can't keep the process from ending.
        self._thread = threading.Thread(target=self._work, name=f"tracker {name}", daemon=True)
        self._thread.start()

    def tell(self, message: TrackerCall) -> None:
        """Have `message` called with the tracker, after those before it; returns at once."""
        self._messages.put(message)

    def end(self) -> None:
        """Have the tracker closed after everything that it was told; returns at once."""
        self._messages.put(None)

    def wait(self, seconds: float) -> None:
        """Wait until the tracker is closed, but give it up after `seconds`."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            logger.warning("tracker %s: it did not end in time: given up", self._name)

    def _work(self) -> None:
        try:
            tracker = self._open()
            while (message := self._messages.get()) is not None:
                message(tracker)
            tracker.close()
        except (Exception, SystemExit) as error:  # a tracker is no reason for a run to fail
            line = (str(error).splitlines() or [""])[0]
            logger.warning("tracker %s: given up, the run goes on: %s: %s", self._name, type(error).__name__, line)
