"""Ratings that were paid for: a small JSON file each, found by the content of what was asked."""

import json
import logging
from pathlib import Path
from typing import Any

from experts.files import publish_text
from swarm.canonical import canonical_json, content_hash

logger = logging.getLogger(__name__)


class RatingCache:
    """Files `folder`/ab/abcd….json, published whole or not at all, so that processes may share them.

    A file is {"asked": …, "said": …}; one that is damaged, or is of another question, is asked again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, asked: Any) -> dict[str, Any] | None:
        """Return what was said when `asked` (plain JSON) was asked; None if it is not known."""
        path = self._path(asked)
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["asked"] != asked or not isinstance(kept["said"], dict):
                raise ValueError("it is of another question")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("the cached rating %s is damaged (%s): asking again", path, type(error).__name__)
            return None
        return dict(kept["said"])

    def put(self, asked: Any, said: dict[str, Any]) -> None:
        """Keep what was said; raises `InputError` if the folder can't be written."""
        publish_text(self._path(asked), canonical_json({"asked": asked, "said": said}))

    def _path(self, asked: Any) -> Path:
        key = content_hash(asked)
        return self._folder / key[:2] / f"{key}.json"
