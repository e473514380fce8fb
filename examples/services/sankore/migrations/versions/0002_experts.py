"""courses for experts, and the first ones of all"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # A value that a transaction has added cannot be used in it.
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE course_level ADD VALUE IF NOT EXISTS 'expert'")
    op.execute("""
        INSERT INTO courses (title, level, price_cents)
        VALUES ('Foil', 'beginner', 1900), ('Epee', 'advanced', 2900), ('Sabre', 'expert', 3900)
    """)
    op.execute("INSERT INTO lessons SELECT id, 1, title || ', first steps' FROM courses")


def downgrade() -> None:
    op.execute("DELETE FROM courses")
    op.execute("ALTER TYPE course_level RENAME TO course_level_before")
    op.execute("CREATE TYPE course_level AS ENUM ('beginner', 'advanced')")
    op.execute("ALTER TABLE courses ALTER COLUMN level TYPE course_level USING level::text::course_level")
    op.execute("DROP TYPE course_level_before")
