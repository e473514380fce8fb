"""runs"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Uuid(), server_default=sa.func.gen_random_uuid(), primary_key=True),
        sa.Column("flow_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(["flow_id"], ["flows.id"]),
    )
    op.create_index("ix_runs_flow_id", "runs", ["flow_id"])
    op.execute("""INSERT INTO flows (name, data) VALUES ('Hello', '{"nodes": []}')""")
    op.execute("INSERT INTO runs (flow_id) SELECT id FROM flows")


def downgrade() -> None:
    op.drop_table("runs")
    op.execute("DELETE FROM flows")
