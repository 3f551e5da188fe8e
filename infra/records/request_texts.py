"""The texts of requests: each request by its content hash, and the requests of each objective and node."""

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from infra.records.damage import damage_in, require_hash
from infra.records.models import Base, NodeRequestsRow, ObjectiveRequestsRow, RequestRow
from infra.records.records_part import plain
from swarm.canonical import canonical_json, content_hash

RequestJson = Any
"""A request as plain JSON; its key is the content hash of that."""

_AT_ONCE = 500
"""The most keys in one query: databases limit the number of its parameters."""


@dataclass(frozen=True)
class GroupRequests:
    """The requests of an evaluation group.

    Attributes:
        by_task: for a group of recipes: returns the objective's requests by task, one an example; called only
            if the records don't hold them yet.
        nodes: for a group of systems: each different request to a node.

    """

    by_task: Callable[[], Sequence[Sequence[RequestJson]]] | None = None
    nodes: Sequence[RequestJson] | None = None


def save_requests(session: Session, group: str, objective: str, group_requests: GroupRequests) -> None:
    """Save the requests of a new `group` on the objective with the key `objective`; requests that are there stay."""
    if group_requests.nodes is not None:
        session.add(NodeRequestsRow(group=group, requests=pack_requests(group_requests.nodes)))
    if group_requests.by_task is None or session.get(ObjectiveRequestsRow, objective) is not None:
        return
    by_task = plain(group_requests.by_task())
    tasks = [[content_hash(request) for request in task] for task in by_task]
    requests = dict(zip(chain(*tasks), chain(*by_task), strict=True))
    # Sorted: two transactions that save the same requests then wait for each other in one order only.
    _insert(session, RequestRow, [{"key": key, "request": requests[key]} for key in sorted(requests)])
    _insert(session, ObjectiveRequestsRow, [{"objective": objective, "requests": tasks}])


def objective_requests(session: Session, objective: str) -> tuple[tuple[RequestJson, ...], ...] | None:
    """Return the requests that `save_requests` saved for an objective, by task; None if it saved none."""
    row = session.get(ObjectiveRequestsRow, objective)
    if row is None:
        return None
    keys = sorted({key for task in row.requests for key in task})
    requests: dict[str, RequestJson] = {}
    for start in range(0, len(keys), _AT_ONCE):
        query = select(RequestRow.key, RequestRow.request).where(RequestRow.key.in_(keys[start : start + _AT_ONCE]))
        for key, request in session.execute(query):
            require_hash(request, key, f"request {key}")
            requests[key] = request
    with damage_in(f"what was asked for objective {objective[:12]}…"):
        return tuple(tuple(requests[key] for key in task) for task in row.requests)


def pack_requests(requests: Sequence[RequestJson]) -> bytes:
    """Return `requests` compressed: sorted, so that texts with the same beginning follow each other."""
    return zlib.compress(canonical_json(sorted(requests, key=canonical_json)).encode())


def unpack_requests(value: bytes) -> dict[str, RequestJson]:
    """Return the requests that `pack_requests` compressed, by their keys."""
    return {content_hash(request): request for request in json.loads(zlib.decompress(value))}


def _insert(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert the `rows` whose key is not there yet; another transaction may insert the same rows at the same moment."""
    dialect = {"sqlite": sqlite, "postgresql": postgresql}[session.get_bind().dialect.name]
    if rows:
        session.execute(dialect.insert(table).on_conflict_do_nothing(), rows)
