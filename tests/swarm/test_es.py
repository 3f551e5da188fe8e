"""Evolution strategies: what follows from the rewards, and that nothing else does."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm import es
from swarm.errors import EvaluationError, InputError
from swarm.es_parameters import EsParameters, with_reference_defaults
from swarm.es_state import EsState
from swarm.seeds import Journal

PLAIN = EsParameters(population=4, sigma=0.1, learning_rate=0.5, antithetic=False, max_iterations=3, held_out_every=2)
PAIRED = replace(PLAIN, antithetic=True)


def told(parameters: EsParameters, state: EsState, rewards: list[float]) -> EsState:
    held_out = 1.0 if es.is_measured(parameters, state.iteration) else None
    return es.tell(parameters, 7, state, rewards, held_out)


def test_the_update_is_the_papers() -> None:
    rewards = [1.0, 2.0, 4.0, 9.0]
    state = told(PLAIN, EsState(), rewards)
    z = (np.array(rewards) - np.mean(rewards)) / (np.std(rewards) + 1e-8)
    assert state.update is not None
    assert state.update.seeds == tuple(member.seed for member in es.members(PLAIN, 7, EsState()))
    assert state.update.coefficients == pytest.approx(0.5 / 4 * z)


def test_members_of_a_pair_mirror_each_other_and_share_one_coefficient() -> None:
    members = es.members(PAIRED, 7, EsState())
    assert [member.scale for member in members] == [0.1, -0.1, 0.1, -0.1]
    assert members[0].seed == members[1].seed != members[2].seed == members[3].seed
    rewards = [3.0, 1.0, 2.0, 2.0]
    update = told(PAIRED, EsState(), rewards).update
    z = es.shape_rewards(rewards, "z_score")
    assert update is not None
    assert update.coefficients == pytest.approx([0.5 / 4 * (z[0] - z[1]), 0.0])


def test_mirrored_members_climb_a_linear_reward_at_the_learning_rate() -> None:
    """With R = g·θ the expected gain of an update is α |g|, whatever the dimension: 1/σ is absorbed in α."""
    parameters = replace(PAIRED, population=4000, learning_rate=0.1)
    direction = np.random.default_rng(0).standard_normal(50)
    members = es.members(parameters, 1, EsState())
    noise = {member.seed: np.random.default_rng(member.seed).standard_normal(50) for member in members}
    update = es.step(parameters, members, [float(m.scale * noise[m.seed] @ direction) for m in members])
    assert update is not None
    moved = sum(c * noise[s] for s, c in zip(update.seeds, update.coefficients, strict=True))
    assert moved @ direction == pytest.approx(0.1 * np.linalg.norm(direction), rel=0.1)


def test_equal_rewards_move_nothing_and_are_counted() -> None:
    state = told(PLAIN, EsState(), [0.3] * 4)
    after = es.ask(state)
    assert (state.update, state.skipped, after.journal) == (None, 1, EsState().journal)
    assert after.iteration == 1


def test_centred_ranks_share_ties_and_sum_to_zero() -> None:
    assert es.shape_rewards([5.0, -1.0, 5.0, 100.0], "centred_ranks").tolist() == [0.0, -0.5, 0.0, 0.5]
    assert es.shape_rewards([2.0, 2.0, 2.0], "centred_ranks").tolist() == [0.0, 0.0, 0.0]


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40), st.sampled_from(["z_score", "centred_ranks"]))
def test_weights_sum_to_zero_and_keep_the_order(rewards: list[float], shaping: es.Shaping) -> None:
    weights = es.shape_rewards(rewards, shaping)
    assert abs(weights.sum()) < 1e-6 * len(rewards)
    order = np.argsort(rewards, kind="stable")
    assert (np.diff(weights[order]) >= 0).all()


def test_weight_decay_is_in_the_update() -> None:
    state = told(replace(PLAIN, weight_decay=0.25), EsState(), [1.0, 2.0, 3.0, 4.0])
    assert state.update is not None
    assert state.update.keep == 0.75


def test_no_seed_is_drawn_twice_in_a_run() -> None:
    drawn = [seed for iteration in range(200) for seed in es.seeds(3, iteration, 50)]
    assert len(set(drawn)) == len(drawn)
    assert all(0 <= seed < 2**63 for seed in drawn)
    assert es.seeds(3, 17, 5) == es.seeds(3, 17, 50)[:5] != es.seeds(4, 17, 5)


def test_batches_ask_every_example_once_before_any_again() -> None:
    parameters = replace(PLAIN, batch=3)
    batches = [es.batch(parameters, 5, iteration, 12) for iteration in range(8)]
    assert sorted(place for batch in batches[:4] for place in batch) == list(range(12))
    assert sorted(place for batch in batches[4:] for place in batch) == list(range(12))
    assert batches[:4] != batches[4:], "each round has an order of its own"
    assert es.batch(PLAIN, 5, 3, 12) == tuple(range(12))


def test_a_state_is_json_and_comes_back_with_the_same_bits() -> None:
    state = told(PAIRED, EsState(), [0.1, 0.2, 1 / 3, 0.4])
    again = EsState.from_json(json.loads(json.dumps(state.to_json())))
    assert again == state
    assert again.sha256 == state.sha256
    assert es.ask(again).sha256 == es.ask(state).sha256 != state.sha256


def test_the_journal_follows_the_updates() -> None:
    journal, state = Journal(), EsState()
    for rewards in ([1.0, 2.0, 3.0, 5.0], [0.0, 0.0, 0.0, 1.0], [1.0] * 4):
        assert state.journal == journal.id
        state = told(PLAIN, state, rewards)
        journal = journal if state.update is None else journal.extend(state.update)
        state = es.ask(state)
    assert state.journal == journal.id
    assert len(journal.updates) == 2


def test_the_last_iteration_only_measures_its_mean() -> None:
    last = EsState(iteration=3)
    assert es.members(PLAIN, 7, last) == ()
    assert es.is_measured(PLAIN, 3)
    assert es.stop_reason(PLAIN, es.tell(PLAIN, 7, last, [], 0.5)) == "max_iterations"


def test_the_first_of_equally_good_means_stays_the_best_and_patience_ends_the_search() -> None:
    parameters = replace(PLAIN, held_out_every=1, patience=2, max_iterations=10)
    state, reasons = EsState(), []
    for held_out in (0.5, 0.5, 0.4):
        state = es.tell(parameters, 7, state, [1.0, 2.0, 3.0, 4.0], held_out)
        reasons.append(es.stop_reason(parameters, state))
        state = es.ask(state)
    assert reasons == [None, None, "patience"]
    assert state.best is not None
    assert (state.best.iteration, state.best.reward) == (0, 0.5)


@pytest.mark.parametrize("rewards", [[1.0, math.nan, 2.0, 3.0], [1.0, math.inf, 2.0, 3.0]])
def test_a_failure_never_becomes_a_reward(rewards: list[float]) -> None:
    with pytest.raises(EvaluationError, match="reward"):
        told(PLAIN, EsState(), rewards)


def test_what_was_not_asked_is_not_told() -> None:
    state = told(PLAIN, EsState(), [1.0, 2.0, 3.0, 4.0])
    for told_again, rewards, held_out in (
        (state, [1.0] * 4, 1.0),
        (EsState(), [1.0] * 3, 1.0),
        (EsState(), [1.0] * 4, None),
    ):
        with pytest.raises(ValueError):
            es.tell(PLAIN, 7, told_again, rewards, held_out)
    with pytest.raises(ValueError, match="not told"):
        es.ask(EsState())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("population", 1),
        ("population", 5),
        ("sigma", 0.0),
        ("sigma", math.nan),
        ("learning_rate", -1.0),
        ("weight_decay", 1.0),
        ("shaping", "softmax"),
        ("batch", 0),
        ("patience", 0),
        ("held_out_every", 0),
        ("max_iterations", 0),
    ],
)
def test_a_parameter_out_of_range_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(InputError, match=f"^{field}: "):
        EsParameters(**{field: value})  # type: ignore[arg-type]


def test_reference_takes_the_papers_values_where_nothing_is_given() -> None:
    complete = with_reference_defaults({"reference": True, "population": 16})
    assert EsParameters(**complete) == EsParameters(
        population=16, sigma=0.001, learning_rate=0.0005, antithetic=False, reference=True
    )
    assert with_reference_defaults({"population": 16}) == {"population": 16}
