"""The configuration that lies in a run's folder."""

from flows.searches import run_config
from infra.configs.common import RunConfig
from infra.files.run_folder import RunFolder
from infra.settings import Settings
from swarm.errors import InputError


def stored_config(name: str, settings: Settings) -> RunConfig:
    """Return the configuration that lies in the folder of the run called `name`.

    Raises:
        InputError: it is missing or damaged, or it is another run's.

    """
    folder = RunFolder(settings.runs, name)
    value = folder.read_config()
    if value.get("name") != name:
        raise InputError(
            f"{folder.config}: field 'name': {value.get('name')!r} is another run than {name!r}: put the folder back to "
            f"where it was, or start run {name!r} again from its own configuration file"
        )
    return run_config(value, str(folder.config))
