import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
FILE = re.compile(r"`((?:bench|cli|data|demo|deploy|docs|experts|flows|infra|swarm|tasks|tests)/[\w./-]+\.[a-z]+)[`: ]")
PLACEHOLDER = {"data/kinds/NAME.py", "deploy/.env"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_exist(page: Path) -> None:
    named = set(FILE.findall(page.read_text(encoding="utf-8"))) - PLACEHOLDER
    assert sorted(name for name in named if not (ROOT / name).exists()) == []
