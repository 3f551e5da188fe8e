"""Reading YAML that people wrote: plain values only, no key twice, and every error one line."""

from collections.abc import Hashable
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, but a repeated key is an error: PyYAML would silently take its last value."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names: set[str] = set()
        for key, _ in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name in names:
                raise yaml.constructor.ConstructorError(None, None, f"the key {name!r} stands twice", key.start_mark)
            if name is not None:
                names.add(name)
        return super().construct_mapping(node, deep)


def read_yaml(text: str) -> Any:
    """Return the value of a YAML text.

    Raises:
        yaml.YAMLError: it is not valid; the message is one line and has the place.

    """
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise yaml.YAMLError(_message(error)) from error
    except yaml.YAMLError as error:
        raise yaml.YAMLError(" ".join(str(error).split())) from error
    except (ValueError, RecursionError) as error:  # an impossible date; brackets nested without end
        raise yaml.YAMLError(" ".join(str(error).split())) from error


def _message(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    position = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    return f"{position}{error.problem or error.context}"
