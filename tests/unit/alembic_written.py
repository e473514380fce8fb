"""An env.py in which everything is right, of the kind that checks where it has landed and waits its turn."""

HEAD = """\
from __future__ import annotations

IMPORTS
from logging.config import fileConfig

from alembic import context
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool

from app.models import Base

SCHEMA = "madansara"
ROLE = "madansara_user"
VARIABLE = "DATABASE_URL"
LOCK = 7526172
target_metadata = Base.metadata

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)


def include_name(name, type_, parent_names):
    if type_ == "schema":
        return (name in (None, SCHEMA))
    return not (type_ == "table" and name == "alembic_version")


def url() -> URL:
    if VARIABLE not in os.environ:
        raise SystemExit(f"{VARIABLE} is not set")
    return make_url(os.environ[VARIABLE]).set(drivername="postgresql+psycopg")


def prepare(connection: Connection) -> None:
    schema, role = connection.execute(text("SELECT current_schema(), session_user")).one()
    if (schema, role) != (SCHEMA, ROLE):
        raise SystemExit(f"{VARIABLE} leads to {schema} as {role}")
    connection.commit()
    connection.execute(text("SET lock_timeout = '5s'"))
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
    connection.commit()
    connection.execute(text('SET search_path TO "madansara"'))
    connection.commit()


def migrate(connection: Connection) -> None:
    prepare(connection)
    context.configure(
        connection=connection,
        target_metadata=target_metadata,
        version_table_schema=SCHEMA,
        include_schemas=True,
        include_name=include_name,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def offline() -> None:
    context.configure(
        dialect_name="postgresql",
        target_metadata=target_metadata,
        version_table_schema=SCHEMA,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
    )
    with context.begin_transaction():
        context.execute('SET search_path TO "madansara"')
        context.run_migrations()


"""
SYNC = (
    HEAD.replace("IMPORTS", "import os")
    + """\
def online() -> None:
    engine = create_engine(url(), poolclass=NullPool)
    with engine.connect() as connection:
        migrate(connection)
    engine.dispose()


if context.is_offline_mode():
    offline()
else:
    online()
"""
)
ASYNC = (
    HEAD.replace("IMPORTS", "import asyncio\nimport os\n\nfrom sqlalchemy.ext.asyncio import create_async_engine")
    + """\
async def online() -> None:
    engine = create_async_engine(url(), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


if context.is_offline_mode():
    offline()
else:
    asyncio.run(online())
"""
)
