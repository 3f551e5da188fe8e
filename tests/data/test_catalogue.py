import json
import re
from urllib.parse import urlsplit

import pytest
import yaml

from data.catalogue import CATALOGUE, Catalogue, DataSet, count_examples, problem_of
from swarm.errors import InputError


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.model_validate(yaml.safe_load(CATALOGUE.read_text()))


def test_every_address_is_https_and_ends_with_the_name_of_its_data_set(catalogue):
    for each in catalogue.data_sets.values():
        assert each.papers
        if each.url is None:
            assert each.note
            assert each.sha256 is None
        else:
            assert urlsplit(each.url).scheme == "https"
            assert each.url.endswith(f"/{each.name}.json")


def test_what_was_computed_from_a_file_stands_there_whole(catalogue):
    known = [each for each in catalogue.data_sets.values() if each.sha256 is not None]
    assert len(known) == 13
    for each in known:
        assert each.examples
        assert each.size is not None
        assert each.size > 50 * sum(each.examples.values())


def test_the_papers_data_sets_are_there(catalogue):
    by_paper = {
        paper: {each.name for each in catalogue.data_sets.values() if paper in each.papers}
        for paper in ("model_swarms", "heterogeneous_swarms", "evolution_strategies")
    }
    assert len(by_paper["model_swarms"]) == 33
    assert by_paper["heterogeneous_swarms"] == {
        *("abkg", "com2", "gaia", "gsm8k", "knowledge_crosswords", "ltp"),
        *("mmlu", "mmlu_pro", "nlgraph", "normad", "qasper", "wow"),
    }
    assert by_paper["evolution_strategies"] == {"countdown", "conciseness"}


def test_a_name_is_found_or_the_nearest_is_named(catalogue):
    assert catalogue.find("gsm8k").kind == "exact_match"
    with pytest.raises(InputError, match=re.escape("there is no public data set 'gsm8': did you mean 'gsm8k'?")):
        catalogue.find("gsm8")
    with pytest.raises(InputError, match=re.escape("data set '§': `swarm data list` shows those there are")):
        catalogue.find("§")


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "x" * 101, "a\n"])
def test_a_name_that_is_no_plain_file_name_is_refused(name):
    with pytest.raises(ValueError, match="name"):
        DataSet(name=name, kind="exact_match")


def test_examples_are_counted_by_split(tmp_path):
    path = tmp_path / "sums.json"
    path.write_text(json.dumps({"dev": [{}, {}], "test": [{}]}))
    assert count_examples(path) == {"dev": 2, "test": 1}
    path.write_text("nothing")
    assert count_examples(path) is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"dev": []}', None),
        (b"[1]", None),
        (b"", "is no JSON"),
        (b"\xff", "is no JSON"),
        (b'"text"', "holds no examples"),
    ],
)
def test_only_json_with_something_in_it_can_be_a_data_set(tmp_path, content, problem):
    (tmp_path / "x").write_bytes(content)
    assert problem_of(tmp_path / "x") == problem
