"""campaigns and posts"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

status = postgresql.ENUM("draft", "live", "ended", name="campaign_status", create_type=False)


def upgrade() -> None:
    status.create(op.get_bind())
    op.execute(sa.schema.CreateSequence(sa.Sequence("campaign_number", start=1000)))
    op.create_table(
        "campaigns",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("number", sa.BigInteger(), server_default=sa.text("nextval('campaign_number')"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("status", status, server_default="draft", nullable=False),
        sa.Column("created_at", sa.DateTime(), server_default=sa.func.now(), nullable=False),
    )
    op.create_table(
        "posts",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], ondelete="CASCADE"),
    )
    op.create_index("ix_posts_campaign_id", "posts", ["campaign_id"])


def downgrade() -> None:
    op.drop_table("posts")
    op.drop_table("campaigns")
    op.execute(sa.schema.DropSequence(sa.Sequence("campaign_number")))
    status.drop(op.get_bind())
