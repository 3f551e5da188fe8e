"""Records that were changed behind the program's back: refused in one line, wherever they are read, or of no effect."""

from dataclasses import dataclass

import pytest

from tests.cli.command_line import CommandOutcome
from tests.security.finished_runs import TinyRun
from tests.tiny_search import RUN


@dataclass(frozen=True)
class Change:
    """A change of a table, what is said of it, and the commands besides `resume` that read what was changed."""

    statement: str
    message: str
    commands: tuple[tuple[str, ...], ...] = ()


STATES = (("status", RUN), ("history", RUN), ("report", RUN), ("export", RUN, "out"))
EVALUATIONS = (("report", RUN), ("history", RUN, "--example", "1"))

REFUSED = {
    "status": Change("UPDATE runs SET status = 'done'", f"run '{RUN}'", (("status",), ("status", RUN))),
    "first state": Change(
        "UPDATE iterations SET state = replace(state, '\"iteration\":0', '\"iteration\":1') WHERE iteration = 0",
        f"iteration 0 of run '{RUN}'",
        STATES,
    ),
    "last state": Change(
        "UPDATE iterations SET state = json_insert(state, '$.more', 1) "
        "WHERE iteration = (SELECT max(iteration) FROM iterations)",
        f"of run '{RUN}'",
        STATES,
    ),
    "utilities": Change("UPDATE evaluations SET utility = utility + 0.25", "the utility of evaluation ", EVALUATIONS),
    "recipes": Change(
        "UPDATE evaluations SET recipe = json_insert(recipe, '$.more', 1)", "the utility of evaluation ", EVALUATIONS
    ),
    "scores": Change("UPDATE evaluations SET scores = '[1.0]'", "the scores of evaluation ", EVALUATIONS),
    "links": Change(
        'UPDATE run_evaluations SET "index" = 1 - "index" '
        "WHERE purpose = 'search' AND iteration = 0 AND particle = 0 AND \"index\" < 2",
        f"run '{RUN}', iteration 0, particle 0 (search)",
    ),
    "requests": Change("UPDATE requests SET request = '[]'", "request ", EVALUATIONS),
    "outputs": Change("UPDATE evaluations SET outputs = '[]'", "the answers of evaluation ", EVALUATIONS),
}

OTHER_INPUTS = {
    "seed": "UPDATE runs SET seed = seed + 1",
    "configuration": "UPDATE runs SET config = json_set(config, '$.search.max_iterations', 99)",
    "identity": "UPDATE runs SET identity = json_set(identity, '$.objective', 'another')",
}

NOT_DECISIVE = (
    "UPDATE timings SET seconds = seconds + 1",
    "UPDATE evaluation_groups SET seconds = seconds + 1, split = 'train', engine = 'another'",
    "UPDATE runs SET stopped_by = 'somebody', error = 'none', stop_requested = 1",
    "DELETE FROM iterations WHERE iteration > 0",
)


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_what_was_changed_is_refused_in_one_line(
    stopped_run: TinyRun, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    alter(stopped_run, change.statement)
    for command in (("resume", RUN), *change.commands):
        message = one_line(stopped_run.swarm(monkeypatch, *command, code=2))
        assert " are damaged: " in message and change.message in message
        assert message.endswith(": restore it from a backup, or move it away and start again")


@pytest.mark.parametrize("statement", OTHER_INPUTS.values(), ids=OTHER_INPUTS)
def test_a_run_of_other_inputs_is_not_resumed(
    stopped_run: TinyRun, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    alter(stopped_run, statement)
    message = one_line(stopped_run.swarm(monkeypatch, "resume", RUN, code=2))
    assert message.startswith(f"error: run '{RUN}' exists and differs: ")


def test_what_decides_nothing_changes_nothing(stopped_run: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    for statement in NOT_DECISIVE:
        alter(stopped_run, statement)
    stopped_run.assert_ends_the_same(monkeypatch)


def test_a_run_that_is_damaged_hides_no_other(stopped_run: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    alter(stopped_run, REFUSED["last state"].statement)
    listed = stopped_run.swarm(monkeypatch, "status")
    assert "damaged" in listed.out and f"of run '{RUN}'" in one_line(listed)


def alter(run: TinyRun, statement: str) -> None:
    """Change what is recorded; fail if nothing is."""
    with run.database() as database:
        assert database.execute(statement).rowcount > 0


def one_line(outcome: CommandOutcome) -> str:
    """Return the only line that a command said."""
    [line] = [line for line in outcome.err.splitlines() if not line.startswith(f"{RUN}: ")]
    return line
