"""Graph questions: answers checked by other algorithms than the generator's, on what the question says alone."""

import re

import numpy as np
import pytest

from data.skills.graphs import GRAPH_QUESTIONS

NODES = range(20)
FAR = 10**6


def drawn(domain, count=300):
    rng = np.random.default_rng(7)
    return [GRAPH_QUESTIONS[domain](rng) for _ in range(count)]


def stated_edges(question):
    """Every edge with its weight as each of its two nodes states it: {(node, neighbour): weight}."""
    edges = {}
    for node, said in re.findall(r"^Node (\d+) is connected to (.*)\.$", question, re.MULTILINE):
        for part in said.split(", "):
            neighbour, weight = re.fullmatch(r"(?:node )?(\d+)(?: with weight (\d+))?", part).groups()
            assert (int(node), int(neighbour)) not in edges
            edges[int(node), int(neighbour)] = int(weight or 1)
    return edges


def lengths(edges):
    """The shortest path between all pairs, by Floyd and Warshall's recurrence."""
    matrix = np.full((len(NODES), len(NODES)), FAR)
    np.fill_diagonal(matrix, 0)
    for (first, second), weight in edges.items():
        matrix[first, second] = weight
    for between in NODES:
        matrix = np.minimum(matrix, matrix[:, [between]] + matrix[[between], :])
    return matrix


def asked_nodes(question):
    return tuple(map(int, re.search(r"between node (\d+) and node (\d+)", question).groups()))


def test_a_path_exists_where_the_answer_says_so_and_half_the_answers_are_yes():
    answers = []
    for question, answer in drawn("connectivity"):
        assert answer == ("Yes" if lengths(stated_edges(question))[asked_nodes(question)] < FAR else "No")
        answers.append(answer)
    assert 0.4 < answers.count("Yes") / len(answers) < 0.6


def test_a_cycle_exists_where_the_answer_says_so_and_half_the_answers_are_yes():
    answers = []
    for question, answer in drawn("cycle"):
        edges = stated_edges(question)
        # An edge lies on a cycle if its ends stay connected without it.
        closing = (
            lengths({edge: 1 for edge in edges if set(edge) != set(cut)})[cut] < FAR for cut in edges if cut[0] < cut[1]
        )
        assert answer == ("Yes" if any(closing) else "No")
        answers.append(answer)
    assert 0.4 < answers.count("Yes") / len(answers) < 0.6


def test_the_number_of_edges_does_not_tell_whether_there_is_a_cycle():
    edges = {"Yes": [], "No": []}
    for question, answer in drawn("cycle", count=1000):
        edges[answer].append(len(stated_edges(question)) / 2)
    assert abs(np.mean(edges["Yes"]) - np.mean(edges["No"])) < 0.6  # they go from 3 to 14


def test_a_shortest_path_is_the_shortest():
    found = [int(answer) for _, answer in drawn("shortest_path")]
    for question, answer in drawn("shortest_path"):
        assert int(answer) == lengths(stated_edges(question))[asked_nodes(question)]
    assert len(set(found)) > 10


@pytest.mark.parametrize("domain", GRAPH_QUESTIONS)
def test_a_graph_is_stated_soundly(domain):
    for question, _ in drawn(domain):
        edges = stated_edges(question)
        listed = re.findall(r"^Node (\d+)", question, re.MULTILINE)
        assert listed == sorted(listed)
        assert {str(node) for node, _ in edges} == set(listed)
        for (first, second), weight in edges.items():
            assert first != second
            assert edges[second, first] == weight
            assert 1 <= weight <= (10 if domain == "shortest_path" else 1)
        if domain != "cycle":
            start, end = asked_nodes(question)
            assert start != end
            assert {str(start), str(end)} <= set(listed)


@pytest.mark.parametrize(
    ("domain", "first", "last"),
    [
        (
            "connectivity",
            "The following text describes an undirected graph. "
            "Determine if there is a path between two nodes in the graph.",
            r"Q: Is there a path between node \d+ and node \d+\?\nPlease directly answer with Yes or No:",
        ),
        (
            "cycle",
            "The following text describes an undirected graph. Determine if there is a cycle in the graph.",
            r"Q: Is there a cycle in this graph\?\nPlease directly answer with Yes or No:",
        ),
        (
            "shortest_path",
            "The following paragraph describes an undirected graph with weights.",
            r"Q: What is the shortest path between node (\d+) and node (\d+), and what is the length of the shortest "
            r"path\?\nPlease directly answer with the length of the shortest path:",
        ),
    ],
)
def test_questions_are_worded_as_in_the_papers_file(domain, first, last):
    for question, _ in drawn(domain, count=20):
        lines = question.split("\n")
        assert lines[0] == first
        assert re.fullmatch(last, "\n".join(lines[-2:]))
        assert all(re.fullmatch(r"Node \d+ is connected to [^.]+\.", line) for line in lines[1:-2])


def test_graphs_of_all_sizes_occur():
    sizes = {len({node for edge in stated_edges(question) for node in edge}) for question, _ in drawn("shortest_path")}
    assert sizes >= set(range(5, 18))
