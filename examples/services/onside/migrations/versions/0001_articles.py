"""articles"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "articles",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(), server_default=sa.func.now(), nullable=False),
    )
    # Not in the transaction of the others: the table stays open for the running service meanwhile.
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_articles_title_trigrams",
            "articles",
            ["title"],
            postgresql_using="gin",
            postgresql_ops={"title": "public.gin_trgm_ops"},
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.drop_table("articles")
