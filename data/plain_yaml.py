"""Read YAML that anybody may have written: plain values, bounded in size and depth, and every error one line."""

from collections.abc import Callable, Hashable
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

MOST_CHARACTERS = 8 << 20
"""The longest text that is read."""
MOST_LEVELS = 100
"""The most lists and mappings inside each other: what is read may be written, compared and shown by recursion."""
MOST_NODES = 1_000_000
"""The most values, each counted as often as aliases repeat it: ten short lines of aliases can stand for billions."""
MOST_DIGITS = 300
"""The most characters of a number."""


class PlainLoader(yaml.SafeLoader):
    """PyYAML's safe loader with limits; beyond one it raises `yaml.YAMLError`."""

    def __init__(self, text: str) -> None:
        """`text` is YAML."""
        if len(text) > MOST_CHARACTERS:
            raise yaml.YAMLError(f"it has more than {MOST_CHARACTERS} characters")
        super().__init__(text)
        self._levels = 0
        self._sizes: dict[int, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Return the next node; count it, and what an alias repeats."""
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        self._levels += 1
        if self._levels > MOST_LEVELS:
            raise ComposerError(None, None, f"lists and mappings are nested deeper than {MOST_LEVELS}", mark)
        is_alias = self.check_event(yaml.AliasEvent)
        node = super().compose_node(parent, index)
        self._levels -= 1
        if not is_alias and node is not None:
            self._sizes[id(node)] = self._size(node, mark)
        elif id(node) not in self._sizes:
            raise ComposerError(None, None, "a value contains itself", mark)
        return node

    def construct_number(self, node: yaml.ScalarNode) -> int | float:
        """Return the number of `node`, which is not longer than anybody needs."""
        if len(node.value) > MOST_DIGITS:
            raise ConstructorError(None, None, f"a number has more than {MOST_DIGITS} characters", node.start_mark)
        is_whole = node.tag == "tag:yaml.org,2002:int"
        return self.construct_yaml_int(node) if is_whole else self.construct_yaml_float(node)

    def _size(self, node: yaml.Node, mark: Any) -> int:
        """Return how many values `node` stands for."""
        inside: list[yaml.Node] = []
        if isinstance(node, yaml.SequenceNode):
            inside = node.value
        elif isinstance(node, yaml.MappingNode):
            inside = [part for pair in node.value for part in pair]
        size = 1 + sum(self._sizes[id(part)] for part in inside)
        if size > MOST_NODES:
            raise ComposerError(None, None, f"its aliases stand for more than {MOST_NODES} values", mark)
        return size


class _StrictLoader(PlainLoader):
    """It refuses a repeated key, where PyYAML would silently take its last value."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names: set[str] = set()
        for key, _ in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name in names:
                raise ConstructorError(None, None, f"the key {name!r} stands twice", key.start_mark)
            if name is not None:
                names.add(name)
        return super().construct_mapping(node, deep)


for _tag in ("int", "float"):
    PlainLoader.add_constructor(f"tag:yaml.org,2002:{_tag}", PlainLoader.construct_number)


def read_yaml(text: str) -> Any:
    """Return the value of a YAML text in which no mapping has a key twice.

    Raises:
        yaml.YAMLError: it is not valid or beyond a limit; the message is one line and has the place.

    """
    return load_yaml(_StrictLoader, text)


def load_yaml(loader_of: Callable[[str], PlainLoader], text: str) -> Any:
    """Return the value of a YAML text as the loader that `loader_of` makes reads it; raises as `read_yaml` does."""
    try:
        loader = loader_of(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise yaml.YAMLError(_message(error)) from error
    except (ValueError, LookupError, AttributeError) as error:  # of PyYAML, for `!!int ""` or an impossible date
        raise yaml.YAMLError(f"a value is none of its type ({' '.join(str(error).split())})") from error
    except yaml.YAMLError as error:
        raise yaml.YAMLError(" ".join(str(error).split())) from error


def _message(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    position = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    return f"{position}{error.problem or error.context}"
