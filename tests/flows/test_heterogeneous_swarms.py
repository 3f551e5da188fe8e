import json
from pathlib import Path
from statistics import fmean

import pytest
import yaml

from infra.configs.yaml_files import load_config
from infra.records.store import Records
from infra.records.values import Purpose, RunStatus
from infra.searches.heterogeneous_swarms.config import HeterogeneousSwarmsConfig
from infra.settings import Settings
from infra.systems.artefact import load_system
from swarm.errors import InputError
from swarm.graphs import Dag
from tests.flows.searches import finished, forget_group, records_url, status
from tests.flows.systems_search import SearchedSystems, call_systems
from tests.reports import asked_examples
from tests.tiny_search import HETEROGENEOUS, make_search


@pytest.fixture(scope="module")
def systems_config(tmp_path_factory: pytest.TempPathFactory) -> HeterogeneousSwarmsConfig:
    folder = tmp_path_factory.mktemp("systems")
    return load_config(make_search(folder, HETEROGENEOUS), HeterogeneousSwarmsConfig, ["search.max_iterations=2"])


@pytest.fixture(scope="module")
def searched(
    prefect_api: None, systems_config: HeterogeneousSwarmsConfig, tmp_path_factory: pytest.TempPathFactory
) -> SearchedSystems:
    runs = tmp_path_factory.mktemp("searched")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SWARM_RUNS", str(runs))
        outcome = call_systems(systems_config)
    assert outcome.is_completed(), outcome.message
    return SearchedSystems(systems_config, runs, outcome.result())


def test_flow_ends_in_the_state_that_the_algorithm_alone_comes_to(searched: SearchedSystems) -> None:
    assert searched.summary["state_sha256"] == searched.without_flow().sha256


def test_finished_run_leaves_what_a_person_looks_for(searched: SearchedSystems) -> None:
    folder = searched.runs / "tiny"
    assert json.loads((folder / "summary.json").read_text()) == searched.summary
    assert {path.name for path in folder.iterdir()} >= {"best", "config.yaml", "report.html", "run.log"}
    assert status(searched.runs, "tiny") is RunStatus.FINISHED
    assert set(finished(searched.runs).values()) == {1}


def test_summary_is_about_the_best_system(searched: SearchedSystems) -> None:
    best, last = searched.summary["ending_best"], searched.states()[-1].best
    assert last is not None
    assert best["dev"] == last.utility == max(s.best.utility for s in searched.states() if s.best is not None)
    assert best["system"]["dag"] == last.dag.to_json()
    assert [node["successor"] for node in best["nodes"]] == list(last.dag.successor)
    gain = searched.summary["c_gain"]
    assert sum(bucket["examples"] for bucket in gain["buckets"]) == 12
    assert gain["gain"]["low"] <= gain["gain"]["mean"] <= gain["gain"]["high"]


def test_sharing_answers_saves_calls_and_engine_calls_are_bounded_by_depth(searched: SearchedSystems) -> None:
    saved, states = searched.summary["saved"], searched.states()
    assert 0 < saved["calls_made"] < saved["calls_public"]
    assert 0 < saved["tokens_made"] < saved["tokens_public"]
    deepest = [max(dag.depth for dag in state.dags) for state in states]
    assert saved["engine_calls"] <= 2 * sum(deepest)


def test_every_evaluation_is_linked_to_what_it_was_for(searched: SearchedSystems) -> None:
    with Records(records_url(searched.runs)) as records:
        links = records.run_evaluations("tiny")
    states = searched.states()
    for state in states:
        of = {
            u.particle: u.evaluation.utility
            for u in links
            if (u.purpose, u.iteration) == (Purpose.SEARCH, state.iteration)
        }
        graphs = dict(enumerate(state.graphs.utilities))
        trials = {len(graphs) + i: trial.utility for i, trial in enumerate(state.trials)}
        assert of == {**graphs, **trials}
    counts = {purpose: sum(u.purpose is purpose for u in links) for purpose in Purpose}
    assert (counts[Purpose.EXPERT], counts[Purpose.STARTING_BEST], counts[Purpose.ENDING_BEST]) == (4, 1, 1)
    assert counts[Purpose.COMPONENT] == searched.summary["c_gain"]["models"]
    assert counts[Purpose.CONTRIBUTION] >= 4


def test_what_every_node_was_asked_and_answered_is_in_the_records(searched: SearchedSystems) -> None:
    with Records(records_url(searched.runs)) as records:
        examples = asked_examples(records, "tiny", "test")
        asked = [examples[number].exchanges for number in range(1, 13)]
        dev = asked_examples(records, "tiny", "dev")[1].exchanges
    best = searched.summary["ending_best"]
    order = Dag.from_json(best["system"]["dag"]).order
    assert [exchange.who for exchange in dev] == [exchange.who for exchange in asked[0]]
    for start, *nodes in asked:
        assert [node.who for node in nodes] == [f"node {n}" for n in order[:-1]] + [f"best (node {order[-1]})"]
        assert all(node.request is not None and node.output is not None for node in nodes)
        assert start.request is not None and start.request.prompt in nodes[-1].request.prompt  # type: ignore[union-attr]
        answers = {n: node.output.strip().replace("\n", " ") for n, node in zip(order, nodes, strict=True)}  # type: ignore[union-attr]
        for number, node in zip(order, nodes, strict=True):
            sources = [n for n in order if best["system"]["dag"]["successor"][n] == number]
            assert all(answers[n] in node.request.prompt for n in sources)  # type: ignore[union-attr]
    assert fmean(nodes[-1].score for _, *nodes in asked) == best["test"]  # type: ignore[misc]


def test_best_system_loads_from_its_folder(searched: SearchedSystems) -> None:
    from experts.base_models import resolve_base_model

    base = resolve_base_model(searched.config.base_model, Settings().cache)
    loaded = load_system(searched.runs / "tiny" / "best", base)
    assert loaded.system.dag.to_json() == searched.summary["ending_best"]["system"]["dag"]


def test_same_search_under_another_name_evaluates_nothing_and_ends_the_same(
    searched: SearchedSystems, runs: Path
) -> None:
    searched.copied(runs)
    outcome = call_systems(searched.again())
    assert outcome.result()["state_sha256"] == searched.summary["state_sha256"]
    assert outcome.result()["best_system_sha256"] == searched.summary["best_system_sha256"]
    assert finished(runs) == finished(searched.runs)


@pytest.mark.parametrize("number", [0, 1])
def test_group_that_the_records_lost_is_evaluated_again(searched: SearchedSystems, runs: Path, number: int) -> None:
    searched.copied(runs)
    lost = list(finished(runs))[number]
    forget_group(runs, lost)
    assert call_systems(searched.again()).result()["state_sha256"] == searched.summary["state_sha256"]
    assert finished(runs)[lost] == 1


def test_a_search_that_skips_evaluations_ends(searched: SearchedSystems, runs: Path) -> None:
    config = searched.again("skipping").model_copy(
        update={"search": searched.config.search.model_copy(update={"drop_iteration": 0.5, "drop_particle": 0.3})}
    )
    outcome = call_systems(config)
    assert outcome.is_completed(), outcome.message
    assert SearchedSystems(config, runs, outcome.result()).without_flow().sha256 == outcome.result()["state_sha256"]


def test_nodes_may_be_roles_of_one_expert(tmp_path: Path, prefect_api: None, runs: Path) -> None:
    one = {
        **HETEROGENEOUS,
        "experts": ["one"],
        "include_base": False,
        "roles": ["", "Think of the opposite.", "Check."],
    }
    one["search"] = {**HETEROGENEOUS["search"], "max_iterations": 1}
    outcome = call_systems(load_config(make_search(tmp_path, one), HeterogeneousSwarmsConfig))
    assert outcome.is_completed(), outcome.message
    assert outcome.result()["ending_best"]["system"]["roles"] == one["roles"]
    assert outcome.result()["c_gain"]["models"] == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"roles": ["a", "b"]},
            r"search.particles: 2 models can't hold the 4 experts one, two, three, base: set it to ",
        ),
        ({"roles": ["a"] * 5, "search": {"particles": 4}}, r"roles: there are 5 for 4 nodes: give one a node, or none"),
        (
            {"experts": ["one"], "include_base": False},
            r"experts: a system of 1 node is no system: add experts, or give",
        ),
        ({"search": {"particles": 3}}, r"search.particles: 3 models can't hold the 4 experts"),
        (
            {"include_base": False, "search": {"reference": True, "particles": 5}},
            r"search.particles: must be the number of experts \(3\) with search.reference, not 5",
        ),
    ],
)
def test_what_makes_no_system_is_refused_before_anything_starts(
    searched: SearchedSystems, tmp_path: Path, runs: Path, change: dict[str, object], said: str
) -> None:
    from flows.searches import prepare

    value = yaml.safe_load((Path(searched.config.experts[0]).parent / "run.yaml").read_text())
    path = Path(searched.config.experts[0]).parent / f"{tmp_path.name}.yaml"
    path.write_text(yaml.safe_dump({**value, **change}))
    with pytest.raises(InputError, match=f"^{said}"):
        prepare(load_config(path, HeterogeneousSwarmsConfig), Settings())
