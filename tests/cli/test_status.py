"""`swarm status`."""

from infra.files.locks import run_lock
from infra.files.run_folder import RunFolder
from infra.records.values import RunStatus
from infra.settings import Settings
from tests.cli.command_line import Command, RecordRun


def test_without_runs_it_says_how_to_start_one_and_makes_nothing(command: Command, settings: Settings) -> None:
    output, as_json = command("status"), command("status", "--json")
    assert (output.code, output.out) == (0, "")
    assert output.err == f"there are no runs in {settings.runs}: start one with: swarm run CONFIG\n"
    assert (as_json.code, as_json.json) == (0, [])
    assert not settings.runs.exists()


def test_every_run_is_listed_with_where_it_stands(command: Command, record_run: RecordRun) -> None:
    finished = record_run("done", status=RunStatus.FINISHED)
    record_run("begun", iterations=0, status=RunStatus.FAILED)
    as_json = command("status", "--json").json
    best = finished[-1].global_best
    assert best is not None
    assert [(run["run"], run["status"], run["iteration"], run["max_iterations"]) for run in as_json] == [
        ("done", "finished", 2, 4),
        ("begun", "failed", 0, 4),
    ]
    assert as_json[0]["best"] == best.to_json()
    header, *rows = command("status").lines
    assert header.split("  ")[0].strip() == "run"
    assert [row.split()[:4] for row in rows] == [
        ["done", "finished", "2/4", f"{best.utility:.4f}"],
        ["begun", "failed", "0/4", "1.0000"],
    ]


def test_a_running_run_that_nobody_drives_is_shown_as_killed(
    command: Command, record_run: RecordRun, settings: Settings
) -> None:
    record_run(status=RunStatus.RUNNING)
    with run_lock(RunFolder(settings.runs, "demo").path):
        driven = command("status", "demo", "--json").json
    killed = command("status", "demo", "--json").json
    assert (driven["status"], driven["next"]) == ("running", ["swarm stop demo"])
    assert (killed["status"], killed["next"]) == ("killed", ["swarm resume demo"])


def test_a_running_run_without_a_lock_here_is_driven_elsewhere(command: Command, record_run: RecordRun) -> None:
    record_run(status=RunStatus.RUNNING)
    assert command("status", "demo", "--json").json["status"] == "running"


def test_one_run_is_shown_with_its_recipe_its_test_and_what_to_do_next(
    command: Command, record_run: RecordRun, settings: Settings
) -> None:
    states = record_run(status=RunStatus.FINISHED)
    best = states[-1].global_best
    assert best is not None
    output = command("status", "demo").lines
    facts = {line[:12].strip(): line[13:] for line in output[1:]}
    coefficients = [f"{value:+.2f}" for value in best.coefficients]
    assert output[0] == "demo"
    assert facts["status"] == "finished"
    assert facts["stopped by"] == "patience"
    assert facts["iteration"] == "2/4"
    assert facts["recipe"] == "{}·one {}·two {}·three".format(*coefficients)
    assert facts["test"] == "0.7500 (95 %: 0.500 – 0.900; p = 0.0123)"
    assert facts["folder"] == str(settings.runs / "demo")
    assert facts["next"] == "swarm report demo  or  swarm export demo DIR"


def test_an_unknown_run_is_refused_with_the_nearest_name(command: Command, record_run: RecordRun) -> None:
    record_run()
    outcome = command("status", "dmo")
    assert (outcome.code, outcome.error) == (2, "error: there is no run 'dmo': did you mean 'demo'?")


def test_a_run_asked_for_where_none_was_made_is_refused(command: Command, settings: Settings) -> None:
    outcome = command("status", "demo")
    assert outcome.code == 2
    assert outcome.error == (
        f"error: there are no runs in {settings.runs}: start one with 'swarm run CONFIG', or set SWARM_RUNS"
    )
