"""A table without a schema's name."""

import sqlalchemy
from alembic import op

revision = "first"
down_revision = None


def upgrade() -> None:
    op.create_table("migrated", sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True))


def downgrade() -> None:
    op.drop_table("migrated")
