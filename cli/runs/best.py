"""Load the best of a finished run, to be asked."""

from typing import TYPE_CHECKING

from cli.runs.records import open_records
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.serving.answering import Best


def read_best(name: str) -> "Best":
    """Return the best of the run called `name`, ready to be asked.

    Raises:
        InputError: there is no such run, it has no best yet, or its files are gone, damaged or changed.

    """
    from cli.runs.stored_config import stored_config
    from infra.serving.answering import load_best

    settings = Settings()
    with open_records(settings) as records:
        records.run(name)
    return load_best(stored_config(name, settings), settings)
