"""A process of its own that uses the records; its first argument says what for. It writes what it did, line by line."""

import signal
import sys

from sqlalchemy import Engine, event

from infra.records.store import Records
from swarm.errors import InputError
from tests.infra.records.record_samples import CONFIG, IDENTITY, save


def say(text: str) -> None:
    """Write one line for the parent."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def start_run(url: str, seed: str) -> None:
    """Open and start a run at the moment the parent says so."""
    say("ready")
    sys.stdin.readline()
    with Records(url) as records:
        try:
            say(f"started {records.start_run('shared', 'model_swarms', CONFIG, IDENTITY, int(seed)).seed}")
        except InputError:
            say("refused")


def save_forever(url: str) -> None:
    """Save groups of 20 evaluations, naming each one that is committed."""
    with Records(url) as records:
        for number in range(1_000_000):
            save(records, f"group-{number}", size=20)
            say(f"group-{number}")


def hang_before_commit(url: str, key: str) -> None:
    """Write a whole group, then stop just before the commit; with no key, stop before a new schema is committed."""
    if not key:
        event.listen(Engine, "commit", _hang)
    with Records(url) as records:
        event.listen(Engine, "commit", _hang)
        save(records, key, size=20)


def _hang(_connection: object) -> None:
    say("before the commit")
    signal.pause()


if __name__ == "__main__":
    tasks = {"start_run": start_run, "save_forever": save_forever, "hang_before_commit": hang_before_commit}
    tasks[sys.argv[1]](*sys.argv[2:])
