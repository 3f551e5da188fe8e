"""The hashes of evaluations, of nodes' answers and of summaries."""

import hashlib
import struct
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

from swarm.canonical import canonical_json, content_hash

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_EVALUATIONS = sa.table(
    "evaluations",
    sa.column("group", sa.String()),
    sa.column("index", sa.Integer()),
    sa.column("recipe", sa.JSON()),
    sa.column("utility", sa.Double()),
    *(sa.column(name, sa.JSON()) for name in ("task_utilities", "scores", "predictions", "outputs", "hashes")),
)
_NODE_ANSWERS = sa.table(
    "node_answers", sa.column("group", sa.String()), sa.column("answers", sa.JSON()), sa.column("sha256", sa.String())
)
_RUNS = sa.table(
    "runs",
    sa.column("name", sa.String()),
    sa.column("summary", sa.JSON()),
    sa.column("summary_sha256", sa.String()),
)


def upgrade() -> None:
    """Add the columns, and the hashes of what is there already: it counts as what was saved."""
    op.add_column("evaluations", sa.Column("hashes", sa.JSON(), nullable=True))
    op.add_column("node_answers", sa.Column("sha256", sa.String(64), nullable=True))
    op.add_column("runs", sa.Column("summary_sha256", sa.String(64), nullable=True))
    connection = op.get_bind()
    for group in connection.scalars(sa.select(_EVALUATIONS.c.group).distinct()).all():
        _hash_evaluations(connection, group)
    _hash_column(connection, _NODE_ANSWERS.c.group, _NODE_ANSWERS.c.answers, "sha256")
    _hash_column(connection, _RUNS.c.name, _RUNS.c.summary, "summary_sha256")


def downgrade() -> None:
    """Drop them."""
    op.drop_column("runs", "summary_sha256")
    op.drop_column("node_answers", "sha256")
    op.drop_column("evaluations", "hashes")


def _hash_evaluations(connection: sa.Connection, group: str) -> None:
    """Add the hashes of one group: a whole table may be larger than memory."""
    table = _EVALUATIONS
    for row in connection.execute(sa.select(table).where(table.c.group == group)).mappings().all():
        here = (table.c.group == group) & (table.c.index == row["index"])
        connection.execute(sa.update(table).where(here).values(hashes=_hashes(group, dict(row))))


def _hashes(group: str, row: Mapping[str, Any]) -> dict[str, str]:
    """Return what `infra.records.damage.evaluation_hashes` returned when this schema was the newest."""
    place, utilities = [group, row["index"]], [float(number) for number in row["task_utilities"]]
    scores = f"{canonical_json(place)}\n".encode() + struct.pack(f"<{len(row['scores'])}d", *row["scores"])
    return {
        "utility": content_hash([*place, row["recipe"], float(row["utility"]), utilities]),
        "scores": hashlib.sha256(scores).hexdigest(),
        "answers": content_hash([*place, row["predictions"], row["outputs"]]),
    }


def _hash_column(
    connection: sa.Connection, key: sa.ColumnClause[str], value: sa.ColumnClause[object], sha256: str
) -> None:
    table = key.table
    assert isinstance(table, sa.TableClause)
    for name in connection.scalars(sa.select(key)).all():
        content = connection.scalar(sa.select(value).where(key == name))
        if content is not None:
            connection.execute(sa.update(table).where(key == name).values({sha256: content_hash(content)}))
