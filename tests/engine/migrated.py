"""Services with Alembic projects of their own, small ones that do what a test asks of them."""

from pathlib import Path
from typing import Any

ENV = """
import os
from alembic import context
from sqlalchemy import create_engine


def offline():
    context.configure(dialect_name="postgresql")
    with context.begin_transaction():
        context.run_migrations()


def online():
    engine = create_engine(os.environ["DATABASE_URL"])
    with engine.connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


if context.is_offline_mode():
    offline()
else:
    online()
"""
ROLLED_BACK = ENV.replace(
    "        context.configure(connection=connection)",
    '        connection.exec_driver_sql("SELECT 1")\n        context.configure(connection=connection)',
)
"""One whose migrations join a transaction that nobody commits."""

REVISION = """
from alembic import op

revision = {revision!r}
down_revision = {down!r}


def upgrade():
{body}


def downgrade():
    pass
"""


def write(folder: Path, *bodies: str, prefix: str = "r") -> None:
    """A project whose revisions r1, r2, ... run these statements of Python, one after another."""
    (folder / "versions").mkdir(parents=True, exist_ok=True)
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s\n")
    (folder / "env.py").write_text(ENV)
    for number, body in enumerate(bodies, 1):
        text = REVISION.format(
            revision=f"{prefix}{number}",
            down=f"{prefix}{number - 1}" if number > 1 else None,
            body="\n".join(f"    {line}" for line in body.splitlines()),
        )
        (folder / "versions" / f"{prefix}{number}.py").write_text(text)


def declared(python: str, path: str, **more: Any) -> dict[str, Any]:
    """What the stack file says of it; Alembic is that of the test's own Python."""
    return {
        "migrations": {"path": path, "command": [python, "-m", "alembic"], **more},
        "urlFormat": "sqlalchemy+psycopg",
    }
