"""What engines were asked, in the exact texts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "requests",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_requests"),
    )
    op.create_table(
        "objective_requests",
        sa.Column("objective", sa.Text(), nullable=False),
        sa.Column("requests", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("objective", name="pk_objective_requests"),
    )
    op.create_table(
        "node_requests",
        sa.Column("group", sa.String(64), nullable=False),
        sa.Column("requests", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("group", name="pk_node_requests"),
        sa.ForeignKeyConstraint(["group"], ["evaluation_groups.key"], name="fk_node_requests_group_evaluation_groups"),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("node_requests", "objective_requests", "requests"):
        op.drop_table(table)
