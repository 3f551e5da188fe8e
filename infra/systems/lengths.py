"""Find out before a search whether every node of a system can read its predecessors' answers besides its question."""

from collections.abc import Iterator, Sequence

from data.examples import Example
from data.long_context import context_chunks
from data.objective import Objective
from experts.base_models import BaseModel
from infra.configs.systems import SystemConfig
from infra.engines.config import ENGINE_PLUGINS, EngineConfig
from infra.evaluation.lengths import Asked, Window, all_cases, location_of
from infra.systems.nodes import Node
from infra.systems.questions import CaseQuestion, node_request
from swarm.recipes import BASE, Recipe, Space

_ANYBODY = Recipe((BASE,), (1.0,), Space.FACTORS)


def require_room_in_nodes(
    objective: Objective, config: SystemConfig, nodes: int, roles: Sequence[str], base: BaseModel, engine: EngineConfig
) -> None:
    """Check that each node of any graph of so many `nodes` can be asked every example of `objective`.

    A node reads the answers of all others at most, each of `config.max_new_tokens` tokens at most.

    Raises:
        InputError: an example would be too long there, or a choice has no token of its own.

    """
    if engine.kind in ENGINE_PLUGINS.built_in:
        window = Window(base, engine)
        longest_role = max(roles, key=window.count, default="")
        window.require_room(_requests(objective, config, nodes, longest_role))


def _requests(objective: Objective, config: SystemConfig, nodes: int, role: str) -> Iterator[Asked]:
    answers = nodes - 1
    reserve = answers * config.max_new_tokens
    what = f"in a node that reads {answers} answers of {config.max_new_tokens} tokens, "
    remedy = "lower system.max_new_tokens, have fewer nodes"
    for task, case in all_cases(objective):
        location, question = location_of(task, case), CaseQuestion(task, case.example)
        node = Node(_ANYBODY, role, (), _longest_share(case.example, nodes), nodes)
        for last in (False, True):
            first = node_request(question, node, (), config, last)
            yield Asked(location, first, 0, "in a first node of a system, ", remedy)
            later = node_request(question, node, [""] * answers, config, last)
            yield Asked(location, later, reserve, what, remedy)


def _longest_share(example: Example, nodes: int) -> int:
    """Return the number of the node that reads most of the context of `example`."""
    lengths = [len(share) for share in context_chunks(example, nodes)]
    return lengths.index(max(lengths))
