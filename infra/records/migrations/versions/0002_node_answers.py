"""What the nodes of systems answered."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "node_answers",
        sa.Column("group", sa.String(64), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("group", name="pk_node_answers"),
        sa.ForeignKeyConstraint(["group"], ["evaluation_groups.key"], name="fk_node_answers_group_evaluation_groups"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("node_answers")
