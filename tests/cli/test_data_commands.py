"""`swarm data list`, `swarm data pull`, `swarm data check`, `swarm data generate`."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml

from data.skills.registry import SKILLS
from data.summary import DataSummary, ListedFile, check_data, list_data
from infra.settings import Settings
from tests.cli.command_line import Command, World, letters_data
from tests.file_server import serving

SIZES = ("--train", 6, "--dev", 4, "--test", 5)


def write(path: Path, **changes: object) -> Path:
    path.write_text(json.dumps({**letters_data(), **changes}))
    return path


def plain(values: Sequence[DataSummary | ListedFile]) -> object:
    """Return `values` as reading their JSON gives them."""
    return json.loads(json.dumps([value.to_json() for value in values]))


def test_the_data_files_of_a_folder_are_listed(command: Command, tmp_path: Path) -> None:
    write(tmp_path / "good.json")
    (tmp_path / "bad.json").write_text("{")
    assert command("data", "list", tmp_path, "--json").json == plain(list_data(tmp_path))
    outcome = command("data", "list", tmp_path)
    rows = outcome.lines[1:]
    assert outcome.code == 0
    assert outcome.err.startswith(f"{tmp_path}/bad.json: line 1, column 2: not valid JSON")
    assert rows[0].split() == ["bad.json", *"–––––––"]
    assert rows[1].split()[1:7] == ["letters", "multiple_choice", "12", "12", "0", "0"]


def test_a_folder_without_data_is_refused(command: Command, tmp_path: Path) -> None:
    outcome = command("data", "list", tmp_path)
    assert outcome.code == 2
    assert outcome.error == (f"error: {tmp_path}: holds no .json or .jsonl file: name a folder with data files")


def test_good_data_pass_the_check(command: Command, world: World) -> None:
    outcome = command("data", "check", world.data)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.lines[1].split()[1:7] == ["letters", "multiple_choice", "12", "12", "0", "0"]
    assert command("data", "check", world.data, "--json").json == plain([check_data(world.data)])


def test_every_invalid_example_is_named_and_the_check_ends_with_code_2(command: Command, tmp_path: Path) -> None:
    examples = [{"question": "Who?", "answer": "C", "choices": {"A": "a", "B": "b"}}, 7, letters_data()["dev"][0]]
    path = write(tmp_path / "data.json", dev=examples)
    outcome, as_json = command("data", "check", path), command("data", "check", path, "--json")
    assert (outcome.code, as_json.code) == (2, 2)
    assert [line.split(":")[1] for line in outcome.lines[2:]] == [" dev[0].answer", " dev[1].example"]
    message = f"error: {path}: 2 invalid examples, the first is dev[0]: correct or remove them\n"
    assert outcome.err == as_json.err == message
    assert [entry["index"] for entry in as_json.json[0]["invalid"]] == [0, 1]


def test_an_empty_split_does_not_pass_the_check(command: Command, tmp_path: Path) -> None:
    path = write(tmp_path / "data.json", test=[])
    outcome = command("data", "check", path)
    assert (outcome.code, outcome.err) == (2, f"error: {path}: the test split has no examples: add some\n")


def test_overlap_is_said_but_passes_since_a_config_may_allow_it(command: Command, tmp_path: Path) -> None:
    path = write(tmp_path / "data.json", test=letters_data()["dev"][:2])
    outcome = command("data", "check", path)
    assert outcome.code == 0
    assert outcome.err == f"{path}: 2 test questions are dev questions too: a run needs allow_overlap: true\n"


def test_a_file_that_does_not_exist_is_refused(command: Command, tmp_path: Path) -> None:
    outcome = command("data", "check", tmp_path / "none.json")
    assert (outcome.code, outcome.error) == (2, f"error: {tmp_path}/none.json: there is no such file: check the path")


def test_every_skill_is_generated_with_the_same_bytes_each_time(command: Command, tmp_path: Path) -> None:
    first = command("data", "generate", "all", "--output", tmp_path / "one", *SIZES, "--json").json
    output = command("data", "generate", *SKILLS, "--output", tmp_path / "two", *SIZES)
    assert first == [
        {"path": str(tmp_path / "one" / f"{name}.json"), "train": 6, "dev": 4, "test": 5} for name in SKILLS
    ]
    assert [row.split()[1:] for row in output.lines[1:]] == [["6", "4", "5"]] * len(SKILLS)
    for name in SKILLS:
        assert (tmp_path / "one" / f"{name}.json").read_bytes() == (tmp_path / "two" / f"{name}.json").read_bytes()
    assert command("data", "check", *(tmp_path / "one").iterdir()).code == 0


def test_another_seed_gives_other_questions_and_never_replaces_a_file(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "sorting.json"
    command("data", "generate", "sorting", "--output", tmp_path, *SIZES)
    before = path.read_bytes()
    assert command("data", "generate", "sorting", "--output", tmp_path, *SIZES).code == 0
    outcome = command("data", "generate", "picking", "sorting", "--output", tmp_path, *SIZES, "--seed", 1)
    assert outcome.code == 2
    assert outcome.error == (f"error: {path}: exists and holds something else: remove it, or choose another --output")
    assert path.read_bytes() == before
    assert not (tmp_path / "picking.json").exists()


def test_an_unknown_skill_is_refused(command: Command, tmp_path: Path) -> None:
    outcome = command("data", "generate", "sorting", "cooking", "--output", tmp_path / "out")
    assert outcome.code == 2
    assert outcome.error == f"error: unknown skill 'cooking': choose one of {', '.join(SKILLS)}"
    assert not (tmp_path / "out").exists()


def test_more_questions_than_a_skill_has_are_refused(command: Command, tmp_path: Path) -> None:
    outcome = command("data", "generate", "sorting", "--output", tmp_path, "--dev", -1)
    assert (outcome.code, outcome.error) == (2, "error: dev: -1 questions were asked for: give 0 or more")


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Path]:
    """A catalogue of one data set that is there, one that is not, and one without a file."""
    content = json.dumps(letters_data()).encode()
    with serving(files={"/letters.json": content}) as site:
        sets = {
            "letters": {"kind": "multiple_choice", "papers": ["model_swarms"], "url": f"{site.url}/letters.json"},
            "gone": {"kind": "exact_match", "url": f"{site.url}/gone.json", "sha256": "0" * 64, "size": 2000},
            "book": {"kind": "exact_match", "licence": "MIT", "examples": {"dev": 3, "test": 4}},
        }
        path = tmp_path / "catalogue.yaml"
        path.write_text(yaml.safe_dump({"data_sets": sets}, sort_keys=False))
        yield path


def test_every_public_data_set_is_listed_with_what_is_verified(command: Command, settings: Settings) -> None:
    outcome, as_json = command("data", "list"), command("data", "list", "--json").json
    assert (outcome.code, len(outcome.lines)) == (0, 1 + len(as_json))
    rows = {row.split()[0]: row for row in outcome.lines[1:]}
    assert rows["mmlu"].split()[1:] == [
        *("multiple_choice", "MS", "HS", "200", "dev,", "1000", "test", "740", "MIT", "e1606a8d4965", "–")
    ]
    assert rows["com2"].split()[1:] == ["multiple_choice", "HS", "–", "–", *("not", "verified") * 2, "–"]
    assert rows["wow"].endswith("no file")
    assert outcome.err.startswith(f"pulled data sets: {settings.cache}/data (papers: MS Model Swarms, ")
    assert {item["status"] for item in as_json} == {None}


def test_a_data_set_is_pulled_and_listed_as_pulled(command: Command, tmp_path: Path, catalogue: Path) -> None:
    own = ("--catalogue", catalogue, "--to", tmp_path / "sets")
    path = tmp_path / "sets" / "letters.json"
    outcome = command("data", "pull", "letters", *own)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert outcome.code == 0
    assert outcome.lines[1].split() == ["letters", str(path.stat().st_size // 1000), sha256, str(path)]
    assert f"{path}: its SHA-256 was not known: it is remembered from now on, compare it if you can\n" in outcome.err
    assert f"{path}: its licence was not verified: look it up before you share it\n" in outcome.err
    [letters, gone, book] = command("data", "list", *own, "--json").json
    assert (letters["status"], letters["path"], letters["examples"]) == ("pulled", str(path), {"dev": 12, "test": 12})
    assert (gone["status"], gone["path"], book["status"]) == (None, None, None)
    [again] = command("data", "pull", "letters", *own, "--json").json
    size = path.stat().st_size
    assert again == {
        **{"name": "letters", "path": str(path), "sha256": sha256, "size": size},
        **{"new": False, "first_seen": False},
    }
    assert command("data", "check", path).code == 0


def test_what_cannot_be_pulled_is_one_line(command: Command, tmp_path: Path, catalogue: Path) -> None:
    own = ("--catalogue", catalogue, "--to", tmp_path / "sets")
    failed, none, unknown = (command("data", "pull", name, *own) for name in ("gone", "book", "leters"))
    assert (failed.code, none.code, unknown.code) == (1, 2, 2)
    assert failed.error.startswith("failed: http://127.0.0.1:")
    assert failed.error.endswith("answers 404 (Not Found): check the address, and whether it asks for a login")
    assert none.error == "error: data set 'book' has no file to download: make one of your own"
    assert unknown.error == "error: there is no public data set 'leters': did you mean 'letters'?"


def test_nothing_is_pulled_if_one_name_is_wrong(command: Command, tmp_path: Path, catalogue: Path) -> None:
    outcome = command("data", "pull", "letters", "lotters", "--catalogue", catalogue, "--to", tmp_path / "sets")
    assert (outcome.code, (tmp_path / "sets").exists()) == (2, False)


def test_a_catalogue_with_a_mistake_is_refused(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("data_sets: {sums: {kind: exact_match, sha256: unknown}}")
    outcome = command("data", "list", "--catalogue", path)
    assert outcome.code == 2
    assert outcome.error.startswith(f"error: {path}: field 'data_sets.sums.sha256': string should match pattern ")


def test_fields_that_nothing_reads_are_said_in_one_line(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "passages.json"
    row = {"question": "Who barks?", "context": "A dog barks.", "answer": "dog", "source": "us"}
    path.write_text(json.dumps({"dev": [row], "test": [{**row, "question": "Who?"}]}))
    result = command("data", "check", path)
    assert result.code == 0
    assert result.err.splitlines() == [
        f"{path}: the field context of its examples reaches neither prompt nor score: put {{context}} into the task's "
        "template, if the models are to read it"
    ]
    assert command("data", "check", path, "--json").json[0]["unread"] == ["context"]
