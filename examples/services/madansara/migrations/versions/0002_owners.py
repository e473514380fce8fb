"""owners, made from the platform's users"""

import sqlalchemy as sa
from alembic import op

from madansara.models import Citext

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "owners",
        sa.Column("id", sa.BigInteger(), autoincrement=False, primary_key=True),
        sa.Column("email", Citext(), nullable=False),
        sa.UniqueConstraint("email"),
    )
    # The stack file declares this read; other tables of `public` are refused.
    op.execute("INSERT INTO owners (id, email) SELECT id, email FROM public.users")
    op.add_column("campaigns", sa.Column("owner_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key("campaigns_owner_id_fkey", "campaigns", "owners", ["owner_id"], ["id"])
    op.create_index("ix_campaigns_owner_id", "campaigns", ["owner_id"])
    op.execute("INSERT INTO campaigns (name, owner_id) SELECT 'First words of ' || email, id FROM owners")


def downgrade() -> None:
    op.drop_column("campaigns", "owner_id")
    op.drop_table("owners")
