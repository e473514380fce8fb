"""Alembic projects that are right, and what the check says once something in them is not."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engarde.alembic.check import check
from engarde.declaration.loader import parse
from engarde.output.findings import Finding
from tests.warm.processes import python

NOT_RUN = [
    (["no-such-alembic/alembic"], "cannot run no-such-alembic/alembic in "),
    (["./migrate.sh"], "`./migrate.sh` does not run Alembic's own program"),
    (["sh", "-c", "exit 3", "alembic"], "it printed nothing"),
    ([sys.executable, "-S", "-m", "alembic"], "No module named alembic"),
]
"""Commands by which Alembic is not run, and what is said of each."""
INI = "[alembic]\nscript_location = %(here)s/migrations\nprepend_sys_path = .\npath_separator = os\n"
LOGGING = """
[loggers]
keys = root

[handlers]
keys = console

[formatters]
keys = generic

[logger_root]
level = WARNING
handlers = console

[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = generic

[formatter_generic]
format = %(levelname)s %(message)s
"""
MODELS = """\
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    metadata = MetaData()


class Thing(Base):
    __tablename__ = "things"
    __table_args__ = (UniqueConstraint("word", name="things_word_key"),)
    id = Column(Integer, primary_key=True)
    word = Column(String(20), index=True)


class Part(Base):
    __tablename__ = "parts"
    id = Column(Integer, primary_key=True)
    thing_id = Column(ForeignKey("things.id"))
"""
REVISION = """\
import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    id_ = sa.Column("id", sa.Integer, primary_key=True)
    unique = sa.UniqueConstraint("word", name="things_word_key")
    op.create_table("things", id_, sa.Column("word", sa.String(20)), unique)
    op.create_index("ix_things_word", "things", ["word"])
    key = sa.Column("thing_id", sa.Integer, sa.ForeignKey("things.id"))
    op.create_table("parts", sa.Column("id", sa.Integer, primary_key=True), key)
"""

HEAD = """\
import asyncio
import os
from logging.config import fileConfig

from alembic import context
from sqlalchemy import engine_from_config, pool, text
from sqlalchemy.ext.asyncio import async_engine_from_config

from app.models import Base

SCHEMA = "madansara"
config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name)
config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"].replace("%", "%%"))
target_metadata = Base.metadata


def include_name(name, type_, parent_names):
    if type_ == "schema":
        return name in (None, SCHEMA)
    return not (type_ == "table" and name == "alembic_version")


def run_migrations_offline():
    context.configure(
        url=config.get_main_option("sqlalchemy.url"),
        target_metadata=target_metadata,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
        version_table_schema=SCHEMA,
        include_schemas=True,
        include_name=include_name,
    )
    with context.begin_transaction():
        context.execute(f'SET search_path TO "{SCHEMA}"')
        context.run_migrations()


"""
TAIL = """

if context.is_offline_mode():
    run_migrations_offline()
else:
    run_migrations_online()
"""
CONFIGURED = """\
context.configure(
    connection=connection,
    target_metadata=target_metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
    include_name=include_name,
)
with context.begin_transaction():
    context.run_migrations()
"""


def indented(text: str, spaces: int) -> str:
    """The text further in."""
    return "".join(f"{' ' * spaces}{line}\n" for line in text.splitlines())


SYNC = (
    HEAD
    + """\
def run_migrations_online():
    connectable = engine_from_config(
        config.get_section(config.config_ini_section, {}),
        prefix="sqlalchemy.",
        poolclass=pool.NullPool,
    )
    with connectable.connect() as connection:
        connection.execute(text(f'SET search_path TO "{SCHEMA}"'))
        connection.commit()
"""
    + indented(CONFIGURED, 8)
    + TAIL
)
ASYNC = (
    HEAD.replace(
        'os.environ["DATABASE_URL"]',
        'os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://", 1)',
    )
    + "def do_run_migrations(connection):\n"
    + indented(CONFIGURED, 4)
    + """\


async def run_async_migrations():
    connectable = async_engine_from_config(
        config.get_section(config.config_ini_section, {}),
        prefix="sqlalchemy.",
        poolclass=pool.NullPool,
        connect_args={"server_settings": {"search_path": f'"{SCHEMA}"'}},
    )
    async with connectable.connect() as connection:
        await connection.run_sync(do_run_migrations)
    await connectable.dispose()


def run_migrations_online():
    asyncio.run(run_async_migrations())
"""
    + TAIL
)
BOTH = {"sync": SYNC, "async": ASYNC}
GUIDE = """\
from alembic import context
from sqlalchemy import engine_from_config, pool

from app.models import Base

config = context.config
# Set schema for all operations
target_metadata = Base.metadata
target_metadata.schema = "madansara"


def run_migrations_online():
    connectable = engine_from_config(
        config.get_section(config.config_ini_section),
        prefix="sqlalchemy.",
        poolclass=pool.NullPool,
        connect_args={"options": "-c search_path=madansara,public"}
    )

    with connectable.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=target_metadata,
            version_table_schema="madansara",  # Store alembic_version in schema
            include_schemas=True
        )

        with context.begin_transaction():
            context.run_migrations()


run_migrations_online()
"""
"""The setup guide's example."""


@dataclass(frozen=True)
class Made:
    """A service's project in a folder of its own, and the stack file's word on the service."""

    folder: Path
    service: dict[str, Any]
    sections: dict[str, Any]
    name: str = "madansara"

    def write(self, path: str, text: str) -> None:
        """Puts a file into the project."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def found(self, env: str, *, run: bool = False) -> tuple[Finding, ...]:
        """What is found where this is the env.py, which may be run, too."""
        self.write("migrations/env.py", env)
        service = self.service
        if run:
            migrations = {"path": str(self.folder), "command": alembic(), **service.get("migrations", {})}
            service = {**service, "migrations": migrations}
        sections = {
            "server": {"host": "h", "database": "d"},
            "services": {self.name: service, "sankore": {}},
            "existingSchemas": {"public": {"creators": ["postgres"]}},
            **self.sections,
        }
        stack = parse("prod", sections, {"adminPassword"})
        declared = next(each for each in stack.services if each.name == self.name)
        return check(stack, declared, self.folder, run=run)

    def kinds(self, env: str, *, run: bool = False) -> list[str]:
        """The same, as `check file:line`."""
        return [f"{each.check} {each.subject}" for each in self.found(env, run=run)]

    def computed(self, env: str) -> tuple[Finding, ...]:
        """What is found once it is run; its text tells nothing else, and says of something that it is not judged."""
        text, run = self.found(env), self.found(env, run=True)
        judged = {each for each in text if each.check != "not judged"}
        assert judged < {*text}
        assert {each.check for each in judged} <= {each.check for each in run}
        return run


def made(folder: Path, service: dict[str, Any] | None = None, name: str = "madansara", **sections: Any) -> Made:
    """A project with models and one revision; its env.py is still to come."""
    project = Made(folder, service or {}, sections, name)
    project.write("alembic.ini", INI + LOGGING)
    project.write("app/__init__.py", "")
    project.write("app/models.py", MODELS)
    project.write("migrations/versions/a1.py", REVISION)
    return project


def alembic() -> list[str]:
    """Alembic's own command, whose interpreter is quick to start."""
    return [python(), "-m", "alembic"]


def line(text: str, part: str, which: int = 0) -> int:
    """The line, from 1, in which a part of a text stands."""
    return [number for number, each in enumerate(text.splitlines(), 1) if part in each][which]


def changed(text: str, old: str, new: str, which: int = 0) -> str:
    """The text with one occurrence of a part replaced."""
    pieces = text.split(old)
    assert len(pieces) > which + 1, f"not there: {old}"
    return old.join(pieces[: which + 1]) + new + old.join(pieces[which + 1 :])
