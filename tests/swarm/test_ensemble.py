from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.ensemble import majority_vote, top_k


def test_the_highest_utilities_are_taken_and_the_lower_index_wins_ties():
    assert top_k([0.5, 0.9, 0.5, 0.9, 0.7], 4) == (1, 3, 4, 0)


def test_a_small_population_votes_as_a_whole_and_gaps_are_left_out():
    assert top_k([0.1, 0.2, 0.3]) == (2, 1, 0)
    assert top_k([0.1, None, 0.3], 10) == (2, 0)
    assert top_k([0.0] * 12) == tuple(range(10))


def test_an_ensemble_of_nobody_is_refused():
    with pytest.raises(ValueError, match=r"^an ensemble has at least 1 member, not 0$"):
        top_k([0.5], 0)


def test_the_most_frequent_prediction_wins_whatever_its_utility():
    assert majority_vote([["a"], ["b"], ["b"]], [9.0, 0.1, 0.1]) == ["b"]


def test_ties_go_to_the_higher_summed_utility_and_then_to_the_first_voter():
    predictions = [["a", "a"], ["b", "b"], ["b", "c"], ["a", "d"]]
    assert majority_vote(predictions, [0.1, 0.5, 0.3, 0.2]) == ["b", "b"]
    assert majority_vote([["y"], ["x"]], [0.5, 0.5]) == ["y"]
    assert majority_vote([["y"], ["x"], ["y"], ["x"]], [0.1, 0.2, 0.3, 0.2]) == ["y"]


def test_wrong_predictions_can_outvote_a_right_one_only_if_they_agree():
    """A vote over right-or-wrong flags would say "wrong" here: three members of four are."""
    assert majority_vote([["right"], ["wrong"], ["false"], ["right"]], [0.1, 0.9, 0.9, 0.1]) == ["right"]


@pytest.mark.parametrize(("predictions", "utilities"), [([], []), ([["a"]], [0.5, 0.5]), ([["a"], ["a", "b"]], [1, 1])])
def test_lengths_that_disagree_are_refused(predictions, utilities):
    with pytest.raises(ValueError, match=r"predictions for|shorter|longer"):
        majority_vote(predictions, utilities)


members = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([0.0, 0.25, 0.5, 1.0])), min_size=1, max_size=8)


@given(members)
def test_a_vote_is_the_lexicographic_maximum_of_count_utility_and_precedence(members):
    votes = [vote for vote, _ in members]
    sums = {vote: sum(Fraction(utility) for other, utility in members if other == vote) for vote in votes}
    expected = max(sums, key=lambda vote: (Counter(votes)[vote], sums[vote], -votes.index(vote)))
    assert majority_vote([[vote] for vote in votes], [utility for _, utility in members]) == [expected]
