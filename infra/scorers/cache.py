"""A cache of ratings from paid services: one small JSON file a rating, found by the content of the question."""

import logging
from pathlib import Path
from typing import Any

from experts.files import publish_text, read_json
from swarm.canonical import canonical_json, content_hash

logger = logging.getLogger(__name__)


class RatingCache:
    """Files `folder`/ab/abcd….json, published whole or not at all, so that processes may share them.

    A file is {"asked": …, "said": …}; one that is damaged, or is of another question, is asked again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, question: Any) -> dict[str, Any] | None:
        """Return the saved answer to `question` (plain JSON); None if there is none."""
        path = self._path(question)
        try:
            entry = read_json(path)
            if entry["asked"] != question or not isinstance(entry["said"], dict):
                raise ValueError("it is of another question")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("the cached rating %s is damaged (%s): asking again", path, type(error).__name__)
            return None
        return dict(entry["said"])

    def put(self, question: Any, answer: dict[str, Any]) -> None:
        """Save the `answer` to `question`; raises `InputError` if the folder can't be written."""
        publish_text(self._path(question), canonical_json({"asked": question, "said": answer}))

    def _path(self, question: Any) -> Path:
        key = content_hash(question)
        return self._folder / key[:2] / f"{key}.json"
