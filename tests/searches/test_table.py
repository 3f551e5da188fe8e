"""Every line of the table of searches keeps what a search keeps."""

from typing import Any

import pytest

from flows.searches import BUILT_IN
from tests.searches.conformance import SearchConformance
from tests.tiny_search import CONFIG, EVOLUTION, HETEROGENEOUS

TINY = {
    "model-swarms": {**CONFIG, "search": {**CONFIG["search"], "max_iterations": 2}},
    "heterogeneous-swarms": {**HETEROGENEOUS, "search": {**HETEROGENEOUS["search"], "max_iterations": 2}},
    "evolution-strategies": {**EVOLUTION, "search": {**EVOLUTION["search"], "max_iterations": 3}},
}


@pytest.mark.parametrize("name", [search.name for search in BUILT_IN], scope="class")
class TestEveryLine(SearchConformance):
    """The suite, once a line; one without a tiny configuration here fails."""

    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls, name: str) -> dict[str, Any]:
        return TINY[name]
