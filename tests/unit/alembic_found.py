"""Alembic projects in the forms in which they are found, each with all that is to be found in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import alembic

from tests.unit import alembic_written
from tests.unit.alembic_projects import ASYNC, GUIDE, MODELS, REVISION, SYNC, Made, changed, made

TEMPLATES = Path(alembic.__file__).parent / "templates"

OFFLINE = """\
def run_migrations_offline() -> None:
    context.configure(url=get_url(), target_metadata=target_metadata, literal_binds=True)

    with context.begin_transaction():
        context.run_migrations()


"""
RUN = """\
if context.is_offline_mode():
    run_migrations_offline()
else:
    run_migrations_online()
"""
SETTINGS_CLASS = """\
import os


class Settings:
    def __init__(self) -> None:
        self.database_url = os.environ["DATABASE_URL"]
        self.database_url_async = self.database_url.replace("postgresql://", "postgresql+asyncpg://")


settings = Settings()


def get_settings() -> Settings:
    return settings
"""


@dataclass(frozen=True)
class Form:
    """One project."""

    env: str
    checks: tuple[str, ...]
    """`check LINE-OF` of each finding: the part of its line stands in env.py"""
    files: Mapping[str, str] = field(default_factory=dict)
    service: Mapping[str, Any] = field(default_factory=dict)
    text: tuple[str, ...] | None = None
    """those that its text alone tells, where it does not tell all"""
    fails: bool = False
    """it does not come to its end without a database either"""

    def put(self, folder: Path) -> Made:
        """The project in a folder."""
        project = made(folder, dict(self.service))
        for path, text in self.files.items():
            project.write(path, text)
        project.write("migrations/env.py", self.env)
        return project


STOCK = ("version table", "version table", "offline search_path")
SHOWS = (*STOCK[:2], "search_path", STOCK[2])

# A settings class, and the section changed with what a function returns, as templates for FastAPI do.
SECTION = f"""\
import os
from logging.config import fileConfig

from alembic import context
from sqlalchemy import engine_from_config, pool

from app.config import settings
from app.models import Base

config = context.config
assert config.config_file_name is not None
fileConfig(config.config_file_name)
target_metadata = Base.metadata


def get_url() -> str:
    return str(settings.database_url)


{OFFLINE}def run_migrations_online() -> None:
    configuration = config.get_section(config.config_ini_section)
    assert configuration is not None
    configuration["sqlalchemy.url"] = get_url()
    connectable = engine_from_config(configuration, prefix="sqlalchemy.", poolclass=pool.NullPool)

    with connectable.connect() as connection:
        context.configure(connection=connection, target_metadata=target_metadata, compare_type=True)

        with context.begin_transaction():
            context.run_migrations()


{RUN}"""

# The option set from a settings class, and an asynchronous engine.
OPTION = f"""\
import asyncio

from alembic import context
from sqlalchemy import pool
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import async_engine_from_config

import app.models  # noqa: F401
from app.config import get_settings
from app.models import Base

config = context.config
settings = get_settings()
config.set_main_option("sqlalchemy.url", settings.database_url_async)
target_metadata = Base.metadata


def get_url() -> str:
    return settings.database_url_async


{OFFLINE}def do_run_migrations(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=target_metadata)
    with context.begin_transaction():
        context.run_migrations()


async def run_async_migrations() -> None:
    connectable = async_engine_from_config(
        config.get_section(config.config_ini_section, {{}}), prefix="sqlalchemy.", poolclass=pool.NullPool
    )
    async with connectable.connect() as connection:
        await connection.run_sync(do_run_migrations)
    await connectable.dispose()


def run_migrations_online() -> None:
    asyncio.run(run_async_migrations())


{RUN}"""

# The application, or a test of it, may hand over a connection.
HANDED = f"""\
import os

from alembic import context
from sqlalchemy import create_engine

from app.models import Base

config = context.config
target_metadata = Base.metadata


def get_url():
    url = config.attributes.get("url") or os.getenv("DATABASE_URL")
    if url and url.startswith("postgres://"):
        url = url.replace("postgres://", "postgresql://", 1)
    return url


{OFFLINE}def do_run_migrations(connection):
    context.configure(
        connection=connection,
        target_metadata=target_metadata,
        version_table_schema="madansara",
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_migrations_online():
    connectable = config.attributes.get("connection", None)
    if connectable is not None:
        do_run_migrations(connectable)
        return
    engine = create_engine(get_url())
    with engine.connect() as connection:
        do_run_migrations(connection)
    engine.dispose()


{RUN}"""

# Another driver's URL, made fit; a filter by object.
REPLACED = f"""\
import os

from alembic import context
from sqlalchemy import engine_from_config, pool

from app.models import Base

config = context.config
DATABASE_URL = os.environ["DATABASE_URL"].replace("+asyncpg", "+psycopg2")
config.set_main_option("sqlalchemy.url", DATABASE_URL.replace("%", "%%"))
target_metadata = Base.metadata
SCHEMA = os.getenv("DB_SCHEMA", "madansara")


def include_object(object, name, type_, reflected, compare_to):
    if type_ == "table":
        return getattr(object, "schema", None) == SCHEMA
    return True


def get_url():
    return config.get_main_option("sqlalchemy.url")


{OFFLINE}def run_migrations_online():
    connectable = engine_from_config(
        config.get_section(config.config_ini_section), prefix="sqlalchemy.", poolclass=pool.NullPool
    )
    with connectable.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=target_metadata,
            version_table_schema=SCHEMA,
            include_schemas=True,
            include_object=include_object,
        )
        with context.begin_transaction():
            context.run_migrations()


{RUN}"""

# It makes its own schema, and lets nothing but it through.
MAKES = f"""\
import os

from alembic import context
from sqlalchemy import create_engine, pool, text

from app.models import Base

SCHEMA = "madansara"
target_metadata = Base.metadata


def include_name(name, type_, parent_names):
    return name == SCHEMA if type_ == "schema" else True


def get_url():
    return os.environ["DATABASE_URL"]


{OFFLINE}def run_migrations_online():
    connectable = create_engine(get_url(), poolclass=pool.NullPool)
    with connectable.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {{SCHEMA}}"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=target_metadata,
            version_table_schema=SCHEMA,
            include_schemas=True,
            include_name=include_name,
        )
        with context.begin_transaction():
            context.run_migrations()


{RUN}"""

# Nothing but statements, and no other mode.
FLAT = """\
import os

from alembic import context
from sqlalchemy import create_engine

from app.models import Base

engine = create_engine(os.environ["DATABASE_URL"])
with engine.begin() as connection:
    connection.exec_driver_sql("SET search_path TO madansara")
    context.configure(connection=connection, target_metadata=Base.metadata, version_table_schema="madansara")
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
"""

# The path set in the migrations' own transaction; what Alembic does is awaited piece by piece.
AWAITED = f"""\
import asyncio
import os

from alembic import context
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.models import Base

SCHEMA = "madansara"
target_metadata = Base.metadata


def get_url():
    return os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://", 1)


{OFFLINE}def migrate(connection):
    context.configure(
        connection=connection,
        target_metadata=target_metadata,
        version_table_schema=SCHEMA,
        include_object=lambda object, name, type_, reflected, compare_to: name != "alembic_version",
    )
    with context.begin_transaction():
        connection.execute(text(f"SET LOCAL search_path TO {{SCHEMA}}"))
        context.run_migrations()


async def run_migrations_online():
    engine = create_async_engine(get_url())
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


if context.is_offline_mode():
    run_migrations_offline()
else:
    asyncio.run(run_migrations_online())
"""


TAKEN = 'config = context.config\nconfig.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"])'
FROM_GUIDE = "import os\n\n" + changed(GUIDE, "config = context.config", TAKEN)


def stock(name: str, metadata: bool) -> str:
    """An env.py of Alembic's own, with the URL of the environment and perhaps with models."""
    text = (TEMPLATES / name / "env.py").read_text()
    url = 'os.environ["DATABASE_URL"]'
    url += '.replace("postgresql://", "postgresql+asyncpg://")' if "async" in name else ""
    text = changed(
        text,
        "config = context.config\n",
        f'config = context.config\nconfig.set_main_option("sqlalchemy.url", {url})\n',
    )
    text = f"import os\n{text}"
    if metadata:
        text = changed(text, "target_metadata = None", "from app.models import Base\ntarget_metadata = Base.metadata")
    return text


OWN = {
    "app/models.py": MODELS.replace("MetaData()", 'MetaData(schema="madansara")').replace(
        '"things.id"', '"madansara.things.id"'
    )
}
ENGINE = """\
async_engine_from_config(
        config.get_section(config.config_ini_section, {}),
        prefix="sqlalchemy.",
"""
CONFIGURE = "        include_name=include_name,\n    "
SETTING = "connection.execute(text(\"SET LOCAL app.bypass = 'on'\"))"
CONFIG = {"app/config.py": SETTINGS_CLASS}
FORMS = {
    **{f"{name}, no models": Form(stock(name, False), (*STOCK, "percent")) for name in ("generic", "async")},
    **{f"{name}, models": Form(stock(name, True), (*SHOWS, "percent")) for name in ("pyproject", "pyproject_async")},
    "section": Form(SECTION, SHOWS, CONFIG, text=("not judged", *SHOWS)),
    "option": Form(OPTION, (*SHOWS, "percent"), CONFIG, text=("not judged", *SHOWS)),
    "handed": Form(
        HANDED,
        ("version table", "filter", "search_path", "offline search_path"),
        text=("not judged", "version table", "filter", "search_path", "offline search_path"),
    ),
    "replaced": Form(
        REPLACED,
        ("version table", "filter", "offline search_path"),
        service={"urlFormat": "sqlalchemy+asyncpg"},
        text=("not judged", "version table", "offline search_path"),
    ),
    "makes": Form(
        MAKES,
        ("version table", "filter", "offline search_path", "schema"),
        text=("not judged", "not judged", "version table", "offline search_path", "schema"),
    ),
    "flat, not begun": Form(
        FLAT.replace("engine.begin()", "engine.connect()").replace("target_metadata=Base.metadata, ", ""),
        ("offline search_path", "transaction"),
    ),
    "flat": Form(FLAT, ("filter", "offline search_path")),
    "awaited": Form(
        AWAITED,
        ("version table", "offline search_path"),
        text=("not judged", "not judged", "version table", "offline search_path"),
    ),
    "the guide": Form(FROM_GUIDE, ("filter", "filter", "search_path", "percent", "offline search_path")),
    "the guide, models too": Form(
        FROM_GUIDE, ("filter", "filter", "search_path", "percent", "offline search_path", "metadata schema"), OWN
    ),
    "no filter": Form(SYNC.replace("include_name=include_name,", ""), ("filter", "filter")),
    "no commit": Form(SYNC.replace("        connection.commit()\n", ""), ("transaction",)),
    "no commit, awaited": Form(
        changed(
            ASYNC,
            "        await connection",
            "        await connection.execute(text('SELECT 1'))\n        await connection",
        ),
        ("transaction",),
    ),
    "a setting after configure": Form(
        changed(SYNC, "        with context.begin", f"        {SETTING}\n        with context.begin"), ()
    ),
    "a statement after configure, awaited": Form(
        changed(ASYNC, f"{CONFIGURE})\n    with", f"{CONFIGURE})\n    {SETTING}\n    with", 1), ()
    ),
    "a setting before configure": Form(
        changed(SYNC, "        connection.commit()\n", f"        connection.commit()\n        {SETTING}\n"),
        ("transaction",),
    ),
    "a commit after configure": Form(
        changed(
            changed(SYNC, "        connection.commit()\n", ""),
            "        with context.begin",
            "        connection.commit()\n        with context.begin",
        ),
        ("transaction",),
    ),
    "offline with another driver": Form(
        changed(ASYNC, 'url=config.get_main_option("sqlalchemy.url")', 'url=os.environ["DATABASE_URL"]'), ()
    ),
    "offline with another driver, by the option": Form(
        changed(
            changed(ASYNC, '.replace("postgresql://", "postgresql+asyncpg://", 1)', ""),
            ENGINE,
            'create_async_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+asyncpg:"),\n',
        ).replace("async_engine_from_config", "create_async_engine"),
        (),
    ),
    "a statement of another connection": Form(
        changed(
            SYNC,
            "        connection.commit()\n",
            "        connection.commit()\n        with connectable.connect() as other:\n"
            "            other.execute(text('SELECT 1'))\n",
        ),
        (),
    ),
    "a statement of the driver": Form(
        changed(
            SYNC,
            "        connection.commit()\n",
            "        connection.commit()\n        cur = connection.connection.cursor()\n"
            "        cur.execute('SELECT 1')\n",
        ),
        (),
    ),
    "a statement of another server": Form(
        changed(
            SYNC,
            "        context.configure(\n            connection",
            "        if connection.dialect.name == 'sqlite':\n            connection.execute(text('PRAGMA a=OFF'))\n"
            "        context.configure(\n            connection",
        ),
        (),
    ),
    "commit at the end": Form(
        changed(SYNC, "        connection.commit()\n", "").replace(
            "            context.run_migrations()\n\n\nif",
            "            context.run_migrations()\n        connection.commit()\n\n\nif",
        ),
        (),
    ),
    "commit at the end, awaited": Form(
        changed(
            ASYNC,
            "        await connection.run_sync(do_run_migrations)\n",
            "        await connection.execute(text('SELECT 1'))\n"
            "        await connection.run_sync(do_run_migrations)\n        await connection.commit()\n",
        ),
        (),
    ),
    "offline refused": Form(
        SYNC.replace("    run_migrations_offline()\nelse", "    raise SystemExit('not offline')\nelse").replace(
            SYNC[SYNC.index("def run_migrations_offline") : SYNC.index("def run_migrations_online")], ""
        ),
        (),
    ),
    "own schema": Form(SYNC, ("metadata schema",), OWN),
    "two heads": Form(SYNC, ("heads",), {"migrations/versions/z.py": "revision, down_revision = 'z1', None\n"}),
    "versions for several databases": Form(
        SYNC, ("arguments",), {"migrations/versions/a1.py": REVISION.replace("upgrade()", "upgrade(engine_name)")}
    ),
    "not awaited": Form(changed(ASYNC, "postgresql+asyncpg://", "postgresql+psycopg2://"), ("driver",), fails=True),
    "awaited for nothing": Form(
        changed(
            SYNC, 'environ["DATABASE_URL"]', 'environ["DATABASE_URL"].replace("postgresql:", "postgresql+asyncpg:")'
        ),
        ("driver",),
    ),
    "no run_sync": Form(
        changed(ASYNC, "await connection.run_sync(do_run_migrations)", "do_run_migrations(connection)"),
        ("async",),
        fails=True,
    ),
    "with": Form(changed(ASYNC, "async with connectable", "with connectable"), ("async",), fails=True),
    "not run": Form(
        changed(ASYNC, "asyncio.run(run_async_migrations())", "run_async_migrations()"), ("async",), fails=True
    ),
    "options for asyncpg": Form(
        changed(ASYNC, '"server_settings": {"search_path": f\'"{SCHEMA}"\'}', '"options": "-c search_path=madansara"'),
        ("search_path",),
    ),
    "server_settings for psycopg2": Form(
        changed(
            SYNC,
            "poolclass=pool.NullPool,",
            'poolclass=pool.NullPool, connect_args={"server_settings": {"search_path": SCHEMA}},',
        ),
        ("search_path",),
    ),
}
RIGHT = {
    "sync": Form(SYNC, ()),
    "async": Form(ASYNC, ()),
    "written by init": Form(alembic_written.SYNC, (), text=("not judged", "not judged")),
    "written by init, async": Form(alembic_written.ASYNC, (), text=("not judged", "not judged")),
}
