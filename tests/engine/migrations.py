"""An Alembic project as services have one: tables with serials and identities, enums, partitions, views, functions."""

from pathlib import Path

FILES = {
    "alembic.ini": "[alembic]\nscript_location = {folder}/scripts\n",
    "scripts/env.py": """
from alembic import context
from sqlalchemy import create_engine

engine = create_engine(context.config.attributes["url"])
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
""",
    "scripts/versions/first.py": """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "first", None


def upgrade():
    op.create_table(
        "campaigns",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("state", sa.Enum("draft", "live", name="campaign_state"), nullable=False),
        sa.Column("data", sa.JSON),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("campaign", sa.BigInteger, sa.ForeignKey("campaigns.id")),
    )
    op.create_index("events_campaign", "events", ["campaign"])


def downgrade():
    op.drop_table("events")
    op.drop_table("campaigns")
    op.execute("DROP TYPE campaign_state")
""",
    "scripts/versions/second.py": """
from alembic import op

revision, down_revision = "second", "first"


def upgrade():
    op.execute("CREATE TABLE log (id bigserial, at date NOT NULL) PARTITION BY RANGE (at)")
    op.execute("CREATE TABLE log_2026 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')")
    op.execute("CREATE VIEW live AS SELECT id FROM campaigns WHERE state = 'live'")
    op.execute("CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM events")
    op.execute("CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
    op.execute("CREATE TRIGGER touched BEFORE UPDATE ON campaigns FOR EACH ROW EXECUTE FUNCTION touch()")
    op.execute("CREATE SEQUENCE tickets")


def downgrade():
    op.execute("DROP SEQUENCE tickets")
    op.execute("DROP TRIGGER touched ON campaigns")
    op.execute("DROP FUNCTION touch")
    op.execute("DROP MATERIALIZED VIEW counted")
    op.execute("DROP VIEW live")
    op.execute("DROP TABLE log")
""",
}


def write(folder: Path) -> None:
    """Writes the project into a folder of its own."""
    (folder / "scripts/versions").mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text.replace("{folder}", str(folder)))
