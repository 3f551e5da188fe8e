"""The page that shows a whole search shows the code of the example, word for word."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding_a_search.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^`(examples/[\w/.]+)`:\n\n```python\n(.*?)```\n", PAGE, flags=re.MULTILINE | re.DOTALL))
FILES = sorted(path for path in (ROOT / "examples" / "random_search").glob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_code_on_the_page_is_that_of_the_example(file: Path) -> None:
    assert BLOCKS[str(file.relative_to(ROOT))] == file.read_text(encoding="utf-8")


def test_the_page_shows_no_file_that_is_not_there() -> None:
    assert {ROOT / name for name in BLOCKS} == set(FILES)
