import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from data.requests import Completion, Generate, Request, Response
from infra.engines.base import Progress
from infra.engines.host import EngineHost, EvaluationInterrupted
from swarm.errors import EvaluationError
from swarm.recipes import Recipe, Space

GROUP = [Recipe(("a" * 64,), (1.0,), Space.PRODUCT)] * 2
REQUESTS: list[Request] = [Generate("a", 1)] * 3
ANSWERS: list[list[Response]] = [[Completion("b", 1)] * 3] * 2


class SmallEngine:
    """Answers in two batches, between which it does what the test wants, given the number of the call."""

    identity = "small"

    def __init__(self, slots: int = 1, between: Callable[[int], object] = lambda call: None) -> None:
        self.slots = slots
        self.closed = False
        self._between = between
        self._calls = count()

    def run(
        self, population: Sequence[Recipe], requests: Sequence[Sequence[Request]], progress: Progress | None = None
    ) -> list[list[Response]]:
        assert not self.closed
        rows, number = sum(map(len, requests)), next(self._calls)
        for done in (rows // 2, rows):
            if progress is not None:
                progress(done, rows)
            self._between(number)
        return ANSWERS

    def close(self) -> None:
        self.closed = True


def run_all(host: EngineHost, groups: int) -> list[float]:
    """Run so many groups at the same time; return the seconds of each."""
    with ThreadPoolExecutor(groups) as threads:
        calls = [threads.submit(host.run, GROUP, [REQUESTS] * len(GROUP)) for _ in range(groups)]
        assert all(call.result()[0] == ANSWERS for call in calls)
    return [call.result()[1] for call in calls]


def test_the_engine_is_opened_once_and_only_when_it_is_needed() -> None:
    opened: list[SmallEngine] = []

    def open_engine() -> SmallEngine:
        opened.append(SmallEngine(slots=3))
        return opened[-1]

    host = EngineHost(open_engine, lambda done, total: None)
    assert opened == []
    run_all(host, 5)
    assert len(opened) == 1
    host.close()
    assert opened[0].closed


def test_an_engine_that_can_not_be_opened_is_tried_again_by_the_next_group() -> None:
    failures = [EvaluationError("no memory")]

    def open_engine() -> SmallEngine:
        if failures:
            raise failures.pop()
        return SmallEngine()

    host = EngineHost(open_engine, lambda done, total: None)
    with pytest.raises(EvaluationError, match="no memory"):
        host.run(GROUP, [REQUESTS] * len(GROUP))
    assert host.run(GROUP, [REQUESTS] * len(GROUP))[0] == ANSWERS


def test_as_many_groups_are_in_the_engine_as_it_has_slots() -> None:
    together, most, now = threading.Barrier(2, timeout=60), 0, 0
    lock = threading.Lock()

    def between(call: int) -> None:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        together.wait()
        with lock:
            now -= 1

    run_all(EngineHost(lambda: SmallEngine(2, between), lambda done, total: None), 4)
    assert most == 2


def test_a_group_of_an_engine_with_one_slot_is_alone() -> None:
    busy = threading.Lock()

    def between(call: int) -> None:
        assert busy.acquire(blocking=False)
        time.sleep(0.002)
        busy.release()

    run_all(EngineHost(lambda: SmallEngine(1, between), lambda done, total: None), 4)


def test_seconds_of_groups_that_share_the_engine_add_up_to_the_time() -> None:
    together = threading.Barrier(3, timeout=60)
    host = EngineHost(
        lambda: SmallEngine(3, lambda call: (together.wait(), time.sleep(0.01))), lambda done, total: None
    )
    start = time.perf_counter()
    seconds = run_all(host, 3)
    assert 0.02 <= sum(seconds) <= time.perf_counter() - start


def test_the_wait_for_another_group_is_not_counted() -> None:
    host = EngineHost(lambda: SmallEngine(1, lambda call: time.sleep(0.01)), lambda done, total: None)
    start = time.perf_counter()
    assert sum(run_all(host, 4)) <= time.perf_counter() - start


def test_rows_of_groups_that_share_the_engine_are_one_count() -> None:
    together = threading.Barrier(2, timeout=60)
    seen: list[tuple[int, int]] = []
    host = EngineHost(
        lambda: SmallEngine(2, lambda call: together.wait()), lambda done, total: seen.append((done, total))
    )
    run_all(host, 2)
    assert seen[-1] == (12, 12)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    del seen[:]
    host = EngineHost(SmallEngine, lambda done, total: seen.append((done, total)))
    host.run(GROUP, [REQUESTS] * len(GROUP))
    host.run(GROUP, [REQUESTS] * len(GROUP))
    assert seen == [(3, 6), (6, 6), (3, 6), (6, 6)]


def test_a_group_that_failed_is_not_counted() -> None:
    seen: list[tuple[int, int]] = []
    failed, answered = threading.Event(), threading.Event()

    def between(call: int) -> None:
        if call == 0:
            assert answered.wait(60)
            raise EvaluationError("lost")
        answered.set()
        assert failed.wait(60)

    host = EngineHost(lambda: SmallEngine(2, between), lambda done, total: seen.append((done, total)))
    with ThreadPoolExecutor(2) as threads:
        calls = [threads.submit(host.run, GROUP, [REQUESTS] * len(GROUP)) for _ in range(2)]
        with pytest.raises(EvaluationError, match="lost"):
            while not any(call.done() for call in calls):
                time.sleep(0.001)
            next(call for call in calls if call.done()).result()
        failed.set()
    assert seen[-1] == (6, 6)


def test_a_group_that_is_not_admitted_does_not_reach_the_engine() -> None:
    def refuse() -> None:
        raise EvaluationError("stop")

    def fail(call: int) -> None:
        raise AssertionError("the engine was used")

    host = EngineHost(lambda: SmallEngine(1, fail), lambda done, total: None, refuse)
    with pytest.raises(EvaluationError, match="stop"):
        host.run(GROUP, [REQUESTS] * len(GROUP))


def test_closing_ends_what_is_under_way_and_what_waits_then_closes_the_engine() -> None:
    inside, closing = threading.Barrier(3, timeout=60), threading.Event()
    engines: list[SmallEngine] = []

    def between(call: int) -> None:
        inside.wait()
        assert closing.wait(60)

    def open_engine() -> SmallEngine:
        engines.append(SmallEngine(2, between))
        return engines[-1]

    host = EngineHost(open_engine, lambda done, total: None)
    with ThreadPoolExecutor(5) as threads:
        calls = [threads.submit(host.run, GROUP, [REQUESTS] * len(GROUP)) for _ in range(4)]
        inside.wait()
        closer = threads.submit(host.close)
        while not host._interrupted.is_set():
            time.sleep(0.001)
        assert not closer.done()
        closing.set()
        closer.result()
        for call in calls:
            with pytest.raises(EvaluationInterrupted):
                call.result()
    assert engines[0].closed
    with pytest.raises(EvaluationInterrupted):
        host.run(GROUP, [REQUESTS] * len(GROUP))
