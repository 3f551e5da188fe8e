"""The schema of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    _create_runs()
    _create_evaluations()
    _create_parts_of_runs()


def downgrade() -> None:
    """Drop every table, children first."""
    op.drop_index("ix_timings_run", "timings")
    for table in ("timings", "run_evaluations", "iterations", "evaluations", "evaluation_groups", "runs"):
        op.drop_table(table)


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("algorithm", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("identity", sa.JSON(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("stop_requested", sa.Boolean(), nullable=False),
        sa.Column("stopped_by", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("summary", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_runs"),
    )


def _create_evaluations() -> None:
    op.create_table(
        "evaluation_groups",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("objective", sa.Text(), nullable=False),
        sa.Column("split", sa.String(16), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("finished", sa.Integer(), nullable=False),
        sa.Column("generated_tokens", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_evaluation_groups"),
    )
    op.create_table(
        "evaluations",
        sa.Column("group", sa.String(64), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sa.Column("utility", sa.Double(), nullable=False),
        sa.Column("task_utilities", sa.JSON(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("predictions", sa.JSON(), nullable=False),
        sa.Column("outputs", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("group", "index", name="pk_evaluations"),
        sa.ForeignKeyConstraint(["group"], ["evaluation_groups.key"], name="fk_evaluations_group_evaluation_groups"),
    )


def _create_parts_of_runs() -> None:
    op.create_table(
        "iterations",
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("iteration", sa.Integer(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("run", "iteration", name="pk_iterations"),
        sa.ForeignKeyConstraint(["run"], ["runs.name"], name="fk_iterations_run_runs"),
    )
    op.create_table(
        "run_evaluations",
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("iteration", sa.Integer(), nullable=False),
        sa.Column("particle", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("group", sa.String(64), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run", "iteration", "particle", "purpose", "group", "index", name="pk_run_evaluations"),
        sa.ForeignKeyConstraint(["run"], ["runs.name"], name="fk_run_evaluations_run_runs"),
        sa.ForeignKeyConstraint(
            ["group", "index"], ["evaluations.group", "evaluations.index"], name="fk_run_evaluations_group_evaluations"
        ),
    )
    op.create_table(
        "timings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("iteration", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(64), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_timings"),
        sa.ForeignKeyConstraint(["run"], ["runs.name"], name="fk_timings_run_runs"),
    )
    op.create_index("ix_timings_run", "timings", ["run"])
