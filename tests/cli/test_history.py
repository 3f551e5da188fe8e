"""`swarm history` and `swarm report`."""

from infra.records.values import RunStatus
from infra.settings import Settings
from swarm.history import history
from tests.cli.command_line import Command, RecordRun


def test_history_as_json_is_every_iteration_whole(command: Command, record_run: RecordRun) -> None:
    states = record_run()
    assert command("history", "demo", "--json").json == [history(state) for state in states]


def test_history_has_one_row_an_iteration(command: Command, record_run: RecordRun) -> None:
    states = record_run()
    header, *rows = command("history", "demo").lines
    best = states[2].global_best
    assert best is not None
    assert header.split()[:3] == ["iteration", "λ", "evaluated"]
    assert [row.split()[0] for row in rows] == ["0", "1", "2"]
    mean = sum(states[2].positions[:, 1]) / 5
    assert rows[2].split()[1:7] == [
        f"{states[2].step_length:.4f}",
        "5/5",
        f"{mean:.4f}",
        f"{max(states[2].positions[:, 1]):.4f}",
        f"{best.utility:.4f}",
        f"({best.particle},",
    ]


def test_history_of_one_iteration_shows_its_particles(command: Command, record_run: RecordRun) -> None:
    states = record_run()
    title, header, *rows = command("history", "demo", "--iteration", 1).lines
    assert title == f"iteration 1, λ = {states[1].step_length:.4f}: coefficients of the positions"
    assert header.split() == ["particle", "utility", "its", "best", "one", "two", "three"]
    assert [row.split()[0] for row in rows] == ["0", "1", "2", "3", "4", "g", "w"]
    assert rows[3].split()[3:] == [f"{value:+.3f}" for value in states[1].positions[3]]
    assert command("history", "demo", "-i", 1, "--json").json == [history(states[1])]


def test_history_refuses_an_iteration_that_was_not_made(command: Command, record_run: RecordRun) -> None:
    record_run()
    outcome = command("history", "demo", "--iteration", 9)
    assert (outcome.code, outcome.error) == (2, "error: run 'demo' has no iteration 9: it has 0 to 2")


def test_report_is_written_from_the_records_and_its_path_printed(
    command: Command, record_run: RecordRun, settings: Settings
) -> None:
    record_run(status=RunStatus.STOPPED)
    path = settings.runs / "demo" / "report.html"
    outcome = command("report", "demo")
    assert (outcome.code, outcome.out) == (0, f"{path}\n")
    first = path.read_bytes()
    assert b"demo" in first
    assert command("report", "demo", "--json").json == {"run": "demo", "report": str(path)}
    assert path.read_bytes() == first


def test_report_of_an_unknown_run_is_refused(command: Command, record_run: RecordRun) -> None:
    record_run()
    assert command("report", "nobody").error == "error: there is no run 'nobody': 'swarm status' lists the runs"
