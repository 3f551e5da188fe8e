"""Seeded graph questions in NLGraph's wording: connectivity, cycle, shortest path.

NLGraph: Wang et al., "Can Language Models Solve Graph Problems in Natural Language?" (arXiv 2305.10037). Connectivity
and shortest path read like the file that Model Swarms evaluates on; cycle, which is not in that file, has NLGraph's own
question in the same frame.
"""

from heapq import heappop, heappush

import numpy as np

from data.skills.questions import QuestionGenerator

_LARGEST_WEIGHT = 10

Graph = dict[int, dict[int, int]]
"""Undirected: the weight of each edge by its two nodes, both ways; a node without edges is not listed."""


def connectivity(rng: np.random.Generator) -> tuple[str, str]:
    """Say whether there is a path between two nodes of a graph on up to 20 nodes; half of the answers are Yes."""
    nodes, is_connected = int(rng.integers(5, 21)), bool(rng.random() < 0.5)
    edges = int(rng.integers(nodes // 2 + 1, nodes))  # with one more, no graph on 5 nodes would have the answer No
    while True:
        graph = _graph(_pairs(rng, nodes)[:edges])
        start, end = _two_nodes(rng, graph)
        if (end in _distances(graph, start)) == is_connected:
            question = f"Q: Is there a path between node {start} and node {end}?"
            return _yes_or_no(graph, "a path between two nodes", question), _answer(is_connected)


def cycle(rng: np.random.Generator) -> tuple[str, str]:
    """Say whether a graph on up to 15 nodes has a cycle; half of the answers are Yes, whatever the number of edges."""
    nodes, has_cycle = int(rng.integers(5, 16)), bool(rng.random() < 0.5)
    edges = int(rng.integers(nodes - 2, nodes))
    edges_of_graph = _with_a_cycle(rng, nodes, edges) if has_cycle else _forest(_pairs(rng, nodes))[:edges]
    return _yes_or_no(_graph(edges_of_graph), "a cycle", "Q: Is there a cycle in this graph?"), _answer(has_cycle)


def shortest_path(rng: np.random.Generator) -> tuple[str, str]:
    """Give the length of the shortest path between two connected nodes of up to 20; edges weigh 1 to 10."""
    nodes = int(rng.integers(5, 21))
    edges = int(rng.integers(nodes, 2 * nodes + 1))
    while True:
        graph = _graph(_pairs(rng, nodes)[:edges], rng)
        start, end = _two_nodes(rng, graph)
        length = _distances(graph, start).get(end)
        if length is not None:
            return _shortest_path_text(graph, start, end), str(length)


GRAPH_QUESTIONS: dict[str, QuestionGenerator] = {
    question.__name__: question for question in (connectivity, cycle, shortest_path)
}
"""The questions by NLGraph's name of their task."""


def _pairs(rng: np.random.Generator, nodes: int) -> list[tuple[int, int]]:
    """Return every pair of different nodes, in random order."""
    pairs = [(first, second) for first in range(nodes) for second in range(first + 1, nodes)]
    return [pairs[index] for index in rng.permutation(len(pairs))]


def _graph(pairs: list[tuple[int, int]], rng: np.random.Generator | None = None) -> Graph:
    graph: Graph = {}
    for first, second in pairs:
        weight = 1 if rng is None else int(rng.integers(1, _LARGEST_WEIGHT + 1))
        graph.setdefault(first, {})[second] = graph.setdefault(second, {})[first] = weight
    return graph


def _forest(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Leave out every pair that closes a cycle with those before it."""
    trees = {node: {node} for pair in pairs for node in pair}
    forest = []
    for first, second in pairs:
        if trees[first] is not trees[second]:
            trees[first] |= trees[second]
            trees.update(dict.fromkeys(trees[second], trees[first]))
            forest.append((first, second))
    return forest


def _with_a_cycle(rng: np.random.Generator, nodes: int, edges: int) -> list[tuple[int, int]]:
    while True:
        pairs = _pairs(rng, nodes)[:edges]
        if len(_forest(pairs)) < edges:
            return pairs


def _two_nodes(rng: np.random.Generator, graph: Graph) -> tuple[int, int]:
    nodes = sorted(graph)
    start, end = rng.permutation(len(nodes))[:2]
    return nodes[start], nodes[end]


def _distances(graph: Graph, start: int) -> dict[int, int]:
    """Return the length of the shortest path from `start` to every node that has one (Dijkstra)."""
    distances: dict[int, int] = {}
    ahead = [(0, start)]
    while ahead:
        distance, node = heappop(ahead)
        if node not in distances:
            distances[node] = distance
            for neighbour, weight in graph[node].items():
                heappush(ahead, (distance + weight, neighbour))
    return distances


def _yes_or_no(graph: Graph, object_: str, question: str) -> str:
    intro = f"The following text describes an undirected graph. Determine if there is {object_} in the graph."
    edges = {node: ", ".join(sorted(map(str, graph[node]))) for node in graph}
    return _text(intro, edges, question, "Please directly answer with Yes or No:")


def _shortest_path_text(graph: Graph, start: int, end: int) -> str:
    edges = {
        node: ", ".join(f"node {other} with weight {graph[node][other]}" for other in sorted(graph[node], key=str))
        for node in graph
    }
    between = f"the shortest path between node {start} and node {end}"
    question = f"Q: What is {between}, and what is the length of the shortest path?"
    intro = "The following paragraph describes an undirected graph with weights."
    return _text(intro, edges, question, "Please directly answer with the length of the shortest path:")


def _text(intro: str, edges: dict[int, str], question: str, request: str) -> str:
    # NLGraph's file has nodes in the order of their names as texts: 0, 1, 10, 11, 2.
    lines = (f"Node {node} is connected to {edges[node]}." for node in sorted(edges, key=str))
    return "\n".join((intro, *lines, question, request))


def _answer(yes: bool) -> str:
    return "Yes" if yes else "No"
