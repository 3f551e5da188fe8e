"""Load the best of a finished run, to be asked."""

from typing import TYPE_CHECKING

from cli.runs.records import open_records
from infra.files.run_folder import RunFolder
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.serving.answering import Best


def read_best(name: str) -> "Best":
    """Return the best of the run called `name`, ready to be asked.

    Raises:
        InputError: there is no such run, it has no best yet, or its files are gone, damaged or changed.

    """
    from flows.searches import run_config
    from infra.serving.answering import load_best

    settings = Settings()
    with open_records(settings) as records:
        records.run(name)
    folder = RunFolder(settings.runs, name)
    return load_best(run_config(folder.read_config(), str(folder.config)), settings)
