"""Where Prefect's task results are kept, if that is not a folder of this machine."""

from pathlib import Path

import fsspec

from swarm.errors import InputError

_PROBE = "swarm-may-write-here"
"""The name of what is written to see that results can be."""


def require_results(results: Path | str) -> None:
    """Check that results can be written at a URL: else only the run's log would say that none is.

    Raises:
        InputError: nothing can be written there, or the package that knows such URLs is missing.

    """
    if isinstance(results, Path):
        return
    try:
        storage, folder = fsspec.url_to_fs(results.rstrip("/"))
        storage.pipe_file(f"{folder}/{_PROBE}", b"yes\n")  # `open` would make a bucket that is misspelt
    except ImportError as error:
        raise _refusal(results, error, "install it (for s3: pip install --editable '.[s3]')") from error
    except Exception as error:  # what storages raise has nothing in common
        raise _refusal(results, error, "check the URL and the storage's own environment variables") from error


def _refusal(results: str, error: Exception, remedy: str) -> InputError:
    line = (str(error).splitlines() or [type(error).__name__])[0]
    return InputError(f"SWARM_RESULTS: {results}: results can't be written there ({line}): {remedy}")
