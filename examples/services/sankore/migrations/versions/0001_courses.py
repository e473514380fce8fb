"""courses and lessons"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

level = postgresql.ENUM("beginner", "advanced", name="course_level", create_type=False)


def upgrade() -> None:
    level.create(op.get_bind())
    op.create_table(
        "courses",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("level", level, nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column(
            "price", sa.String(), sa.Computed("(price_cents / 100)::text || ' EUR'", persisted=True), nullable=False
        ),
        sa.CheckConstraint("price_cents >= 0", name="courses_price_cents_check"),
    )
    op.create_table(
        "lessons",
        sa.Column("course_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("course_id", "number"),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], ondelete="CASCADE"),
    )


def downgrade() -> None:
    op.drop_table("lessons")
    op.drop_table("courses")
    level.drop(op.get_bind())
