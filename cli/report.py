"""`swarm report`."""

from cli.terminal.console import out, print_json
from cli.terminal.options import AsJson, RunArgument


def report(name: RunArgument, as_json: AsJson = False) -> None:
    """Write a run's report.html from the records, and print its path."""
    from cli.runs.records import open_records
    from experts.files import publish_text
    from flows.searches import SEARCHES
    from infra.files.run_folder import RunFolder
    from infra.settings import Settings

    settings = Settings()
    with open_records(settings) as records:
        run = records.run(name)
        folder = RunFolder(settings.runs, run.name)
        folder.create()
        publish_text(folder.report, SEARCHES.of(run).report(records, run.name))
    if as_json:
        print_json({"run": name, "report": str(folder.report)})
    else:
        out.print(str(folder.report), soft_wrap=True)
