"""readings, a partition for each year"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

YEARS = (2025, 2026)


def upgrade() -> None:
    op.create_table(
        "readings",
        sa.Column("article_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("article_id", "day"),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"]),
        postgresql_partition_by="RANGE (day)",
    )
    for year in YEARS:
        bounds = f"FROM ('{year}-01-01') TO ('{year + 1}-01-01')"
        op.execute(f"CREATE TABLE readings_{year} PARTITION OF readings FOR VALUES {bounds}")
    op.execute("INSERT INTO articles (title) VALUES ('The season begins'), ('The season ends')")
    op.execute("INSERT INTO readings SELECT id, '2026-08-01', 10 * id FROM articles")


def downgrade() -> None:
    op.drop_table("readings")
    op.execute("DELETE FROM articles")
