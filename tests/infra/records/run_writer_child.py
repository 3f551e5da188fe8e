"""A process of its own that records a whole run; its arguments: the database, the run's name, its iterations."""

import sys

from infra.records.store import Records
from infra.records.values import RunStatus
from tests.infra.records.record_samples import save, start


def write_run(url: str, name: str, iterations: int) -> None:
    """Record a run as a flow does, naming each iteration that is saved."""
    with Records(url) as records:
        start(records, name)
        for iteration in range(iterations):
            group = f"{name}-{iteration}"
            save(records, group, size=4)
            records.link_evaluations(name, iteration, "search", [(particle, group, particle) for particle in range(4)])
            records.save_iteration(name, iteration, {"of": name, "iteration": iteration})
            records.add_timings(name, iteration, {"orchestration": 0.5})
            sys.stdout.write(f"{iteration}\n")
            sys.stdout.flush()
        records.mark(name, RunStatus.FINISHED, summary={"run": name})


if __name__ == "__main__":
    write_run(sys.argv[1], sys.argv[2], int(sys.argv[3]))
