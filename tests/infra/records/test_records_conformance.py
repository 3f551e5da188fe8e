"""What `Records` promises, on every kind of database."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from infra.records.store import Records
from infra.records.values import (
    EvaluationGroup,
    EvaluationRecord,
    IterationRecord,
    Purpose,
    RunEvaluation,
    RunRecord,
    RunStatus,
)
from swarm.canonical import content_hash
from swarm.errors import EvaluationError, InputError
from tests.infra.records.record_samples import CONFIG, IDENTITY, START, Clock, group, save, start

NEW_RUN = RunRecord(
    "first", "model_swarms", RunStatus.RUNNING, CONFIG, IDENTITY, 7, False, None, None, None, START, START
)


def test_a_started_run_comes_back_as_it_was_given(records: Records, database_url: str) -> None:
    assert start(records) == NEW_RUN
    with Records(database_url) as again:
        assert again.run("first") == NEW_RUN
        assert again.runs() == [NEW_RUN]


def test_starting_the_same_run_again_returns_it_as_it_stands(records: Records) -> None:
    start(records)
    records.mark("first", RunStatus.STOPPED, stopped_by="request")
    assert start(records) == records.run("first")
    assert records.run("first").status is RunStatus.STOPPED
    assert len(records.runs()) == 1


def test_a_tuple_in_a_configuration_equals_the_list_it_is_stored_as(records: Records) -> None:
    start(records)
    assert records.start_run("first", "model_swarms", {**CONFIG, "experts": ("a", "b")}, IDENTITY, 7) == NEW_RUN


def test_a_changed_run_is_refused_and_the_difference_shown(records: Records) -> None:
    start(records)
    config = {"search": {"particles": 5, "inertia": 0.2}, "experts": ["a", "b", "c"]}
    with pytest.raises(InputError) as caught:
        records.start_run("first", "model_swarms", config, {**IDENTITY, "engine": "3" * 64}, 8)
    assert str(caught.value) == (
        "run 'first' exists and differs: search.particles: 4 → 5; seed: 7 → 8; "
        f'identity.engine: "{"2" * 38}… → "{"3" * 38}…; experts.2: absent → "c": '
        "choose another name, or put these back as they were"
    )
    assert records.runs() == [NEW_RUN]


def test_another_algorithm_under_the_same_name_is_refused(records: Records) -> None:
    start(records)
    with pytest.raises(InputError, match=r'algorithm: "model_swarms" → "evolution"'):
        records.start_run("first", "evolution", CONFIG, IDENTITY, 7)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "-a", "_a", ".a", "a b", "a\n", "é", "a" * 65, "a\0"])
def test_a_name_that_no_run_may_have_is_refused(records: Records, name: str) -> None:
    with pytest.raises(InputError, match="is not allowed"):
        start(records, name)
    assert records.runs() == []


def test_the_longest_name_is_accepted(records: Records) -> None:
    assert start(records, "a" * 64).name == "a" * 64


def test_runs_are_listed_the_oldest_first(records: Records) -> None:
    assert [start(records, name).name for name in ("c", "a", "b")] == [run.name for run in records.runs()]


def test_an_unknown_run_names_the_nearest(records: Records) -> None:
    start(records)
    with pytest.raises(InputError) as caught:
        records.run("frist")
    assert str(caught.value) == "there is no run 'frist': did you mean 'first'?"


USES_OF_A_RUN: list[Callable[[Records], object]] = [
    lambda records: records.run("missing"),
    lambda records: records.mark("missing", RunStatus.FINISHED),
    lambda records: records.request_stop("missing"),
    lambda records: records.clear_stop("missing"),
    lambda records: records.stop_requested("missing"),
    lambda records: records.save_iteration("missing", 0, {}),
    lambda records: records.iteration("missing", 0),
    lambda records: records.iterations("missing"),
    lambda records: records.link_evaluations("missing", 0, "search", [(0, "group", 0)]),
    lambda records: records.run_evaluations("missing"),
    lambda records: records.add_timings("missing", 0, {"merge": 1.0}),
    lambda records: records.timings("missing"),
]


@pytest.mark.parametrize("use", USES_OF_A_RUN)
def test_no_method_accepts_an_unknown_run(records: Records, use: Callable[[Records], object]) -> None:
    with pytest.raises(InputError) as caught:
        use(records)
    assert str(caught.value) == "there is no run 'missing': 'swarm status' lists the runs"


def test_marking_replaces_the_reason_and_keeps_the_summary(records: Records) -> None:
    start(records)
    records.mark("first", RunStatus.FINISHED, stopped_by="patience", summary={"test": 0.5})
    records.mark("first", RunStatus.FAILED, error="the engine failed")
    assert records.run("first") == replace(
        NEW_RUN,
        status=RunStatus.FAILED,
        error="the engine failed",
        summary={"test": 0.5},
        updated_at=START + timedelta(seconds=2),
    )


def test_a_request_to_stop_is_seen_by_others_until_it_is_cleared(records: Records, database_url: str) -> None:
    start(records)
    with Records(database_url) as other:
        other.request_stop("first")
    assert records.stop_requested("first")
    records.clear_stop("first")
    assert not records.stop_requested("first")


def test_iterations_come_back_in_order_and_bit_by_bit(records: Records, database_url: str) -> None:
    start(records)
    states = [{"x": [0.1 + 0.2, 5e-324, -0.0, 1.7976931348623157e308]}, {"x": [2**53 + 1, None, True]}]
    records.save_iteration("first", 1, states[1])
    records.save_iteration("first", 0, states[0])
    saved = [
        IterationRecord(0, states[0], content_hash(states[0]), START + timedelta(seconds=2)),
        IterationRecord(1, states[1], content_hash(states[1]), START + timedelta(seconds=1)),
    ]
    with Records(database_url) as again:
        assert repr(again.iterations("first")) == repr(saved)
        assert again.run("first").updated_at == START + timedelta(seconds=2)


def test_saving_an_equal_iteration_again_changes_nothing(records: Records) -> None:
    start(records)
    records.save_iteration("first", 0, {"x": (0.1,)})
    before = records.run("first"), records.iterations("first")
    records.save_iteration("first", 0, {"x": [0.1]})
    assert (records.run("first"), records.iterations("first")) == before


def test_a_different_iteration_says_that_the_replay_diverged(records: Records) -> None:
    start(records)
    records.save_iteration("first", 0, {"x": [0.1]})
    before = records.iterations("first")
    with pytest.raises(InputError, match=r"replay of run 'first' diverged at iteration 0.*: restore the records"):
        records.save_iteration("first", 0, {"x": [0.2]})
    assert records.iterations("first") == before


def test_one_iteration_is_read_alone_and_a_missing_one_is_no_state(records: Records) -> None:
    start(records)
    records.save_iteration("first", 0, {"x": 1})
    records.save_iteration("first", 1, {"x": 2})
    assert records.iteration("first", 1) == records.iterations("first")[1]
    with pytest.raises(LookupError, match="run 'first' has no iteration 2"):
        records.iteration("first", 2)


def test_runs_do_not_see_each_others_iterations(records: Records) -> None:
    for name in ("first", "second"):
        start(records, name)
        records.save_iteration(name, 0, {"of": name})
    assert [record.state for record in records.iterations("second")] == [{"of": "second"}]


def test_an_evaluation_group_comes_back_as_it_was_saved(records: Records, database_url: str) -> None:
    texts = ("", "\0", "\N{SNOWMAN}\U0001f600", "a\r\n\t'\"\\%s:x", " x ")
    evaluation = EvaluationRecord("key", 0, {"c": [0.1]}, 1e-17, (1 / 3, 0.7), (0.0, 1.0, -2.5), texts, texts[::-1])
    assert records.evaluation_group("key") is None
    records.save_evaluation_group("key", "an objective", "test", "an engine", [evaluation], 345, 6.75)
    with Records(database_url) as again:
        assert again.evaluation_group("key") == (evaluation,)
        assert again.evaluation_groups() == [
            EvaluationGroup("key", "an objective", "test", "an engine", 1, 345, 6.75, START)
        ]


def test_evaluations_come_back_in_the_order_of_their_index(records: Records) -> None:
    assert save(records, "key", size=12) == group("key", size=12)
    assert records.evaluation_group("key") == group("key", size=12)


def test_a_group_saved_again_keeps_the_first_and_counts(records: Records) -> None:
    first = save(records, "key", utility=0.1)
    save(records, "other")
    assert save(records, "key", utility=0.9) == first
    assert records.evaluation_group("key") == first
    assert [(info.key, info.finished) for info in records.evaluation_groups()] == [("key", 2), ("other", 1)]


@pytest.mark.parametrize("field", ["utility", "task_utilities", "scores"])
@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_never_saved(records: Records, field: str, number: float) -> None:
    good, bad = group("key")
    bad = replace(bad, **{field: number if field == "utility" else (0.5, number)})
    with pytest.raises(EvaluationError) as caught:
        records.save_evaluation_group("key", "objective", "dev", "engine", [good, bad], 1, 1.0)
    assert str(caught.value) == f"evaluation 1 of group key has the score {number}: not saved"
    assert records.evaluation_group("key") is None


@pytest.mark.parametrize("evaluations", [(), group("another"), group("key")[::-1], group("key")[1:]])
def test_evaluations_that_are_not_those_of_the_group_are_refused(
    records: Records, evaluations: tuple[EvaluationRecord, ...]
) -> None:
    with pytest.raises(ValueError, match="group 'key' cannot hold the evaluations"):
        records.save_evaluation_group("key", "objective", "dev", "engine", evaluations, 1, 1.0)
    assert records.evaluation_groups() == []


def test_an_error_in_the_middle_of_a_group_leaves_nothing_of_it(records: Records) -> None:
    good, bad = group("key")
    bad = replace(bad, recipe={"coefficients": [float("nan")]})
    with pytest.raises(ValueError, match="Out of range float"):
        records.save_evaluation_group("key", "objective", "dev", "engine", [good, bad], 1, 1.0)
    assert records.evaluation_groups() == []
    assert save(records, "key") == group("key")


def test_lineage_is_listed_by_iteration_particle_and_purpose(records: Records) -> None:
    start(records)
    one, two = save(records, "key")
    for iteration, particle, purpose, index in [
        (1, 0, "search", 1),
        (0, 1, "search", 1),
        (0, 0, "starting_best", 0),
        (0, 0, "search", 0),
    ]:
        records.link_evaluations("first", iteration, purpose, [(particle, "key", index)])
    search = [
        RunEvaluation(0, 0, Purpose.SEARCH, one),
        RunEvaluation(0, 1, Purpose.SEARCH, two),
        RunEvaluation(1, 0, Purpose.SEARCH, two),
    ]
    starting_best = RunEvaluation(0, 0, Purpose.STARTING_BEST, one)
    assert records.run_evaluations("first", "search") == search
    assert records.run_evaluations("first") == [search[0], starting_best, *search[1:]]
    assert records.run_evaluations("first", Purpose.ENSEMBLE) == []


def test_linking_again_changes_nothing(records: Records) -> None:
    start(records)
    one, _ = save(records, "key")
    for _ in range(2):
        records.link_evaluations("first", 0, "search", [(0, "key", 0)])
    assert records.run_evaluations("first") == [RunEvaluation(0, 0, Purpose.SEARCH, one)]


def test_two_runs_share_an_evaluation(records: Records) -> None:
    one, _ = save(records, "key")
    for name in ("first", "second"):
        start(records, name)
        records.link_evaluations(name, 0, "search", [(3, "key", 0)])
        assert records.run_evaluations(name) == [RunEvaluation(0, 3, Purpose.SEARCH, one)]
    assert [info.finished for info in records.evaluation_groups()] == [1]


@pytest.mark.parametrize(("key", "index"), [("key", 2), ("another", 0)])
def test_an_evaluation_that_was_not_saved_cannot_be_linked(records: Records, key: str, index: int) -> None:
    start(records)
    save(records, "key")
    with pytest.raises(LookupError, match=f"there is no evaluation {index} of group '{key}'"):
        records.link_evaluations("first", 0, "search", [(0, key, index)])
    assert records.run_evaluations("first") == []


def test_of_several_links_all_or_none_are_made(records: Records) -> None:
    start(records)
    one, two = save(records, "key")
    with pytest.raises(LookupError, match="there is no evaluation 2 of group 'key': save the group before linking it"):
        records.link_evaluations("first", 0, "search", [(0, "key", 0), (1, "key", 2)])
    assert records.run_evaluations("first") == []
    records.link_evaluations("first", 0, "search", [(0, "key", 0), (1, "key", 1), (0, "key", 0)])
    records.link_evaluations("first", 0, "search", [(1, "key", 1), (2, "key", 1)])
    assert [(link.particle, link.evaluation) for link in records.run_evaluations("first")] == [
        (0, one),
        (1, two),
        (2, two),
    ]


def test_an_unknown_purpose_is_refused(records: Records) -> None:
    start(records)
    save(records, "key")
    with pytest.raises(ValueError, match="'curiosity' is not a valid Purpose"):
        records.link_evaluations("first", 0, "curiosity", [(0, "key", 0)])


def test_timings_add_up_by_part_and_by_iteration(records: Records) -> None:
    start(records)
    start(records, "second")
    records.add_timings("second", 0, {"merge": 64.0})
    for iteration, seconds in [(1, {"merge": 0.5}), (0, {"merge": 1.0, "evaluate": 4.0}), (0, {"merge": 2.0}), (2, {})]:
        records.add_timings("first", iteration, seconds)
    assert list(records.timings("first").items()) == [("evaluate", 4.0), ("merge", 3.5)]
    assert records.timings_by_iteration("first") == {0: {"merge": 3.0, "evaluate": 4.0}, 1: {"merge": 0.5}}


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_an_impossible_duration_is_refused(records: Records, seconds: float) -> None:
    start(records)
    with pytest.raises(ValueError, match="'merge' took"):
        records.add_timings("first", 0, {"evaluate": 1.0, "merge": seconds})
    assert records.timings("first") == {}


def test_a_sound_database_passes_its_check(records: Records) -> None:
    start(records)
    save(records, "key")
    records.link_evaluations("first", 0, "search", [(0, "key", 0)])
    records.check_integrity()


def test_a_time_without_a_zone_is_refused(database_url: str) -> None:
    with Records(database_url, lambda: Clock()().replace(tzinfo=None)) as records:
        with pytest.raises(Exception, match="has no time zone"):
            start(records)
        assert records.runs() == []


def test_a_run_and_a_group_are_there_once_saved_and_not_before(records: Records) -> None:
    assert not records.has_run("first")
    assert not records.has_evaluation_group("key")
    start(records)
    save(records, "key")
    assert records.has_run("first")
    assert records.has_evaluation_group("key")
