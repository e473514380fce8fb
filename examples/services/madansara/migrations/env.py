"""Runs the migrations of this service as its own role, in its own schema, and one process at a time.

Written by `engarde alembic init`. If it writes this file again, it keeps the lines between the two marks below.
"""

# ruff: noqa: E402

import logging
import os
import random
import time
import zlib
from logging.config import fileConfig

from alembic import context
from alembic.util import CommandError
from sqlalchemy import URL, Connection, create_engine, make_url, pool, text
from sqlalchemy.exc import ArgumentError

log = logging.getLogger("alembic.env")

# --- yours ---
from madansara.models import Base

target_metadata = Base.metadata
options = {}
# --- end of yours ---

SCHEMA = "madansara"
ROLE = "madansara_user"
VARIABLE = "DATABASE_URL"
DRIVER = "postgresql+psycopg"
LOCK_TIMEOUT = "10s"
"""How long a migration waits for a table that a running service uses; meanwhile, everybody else waits behind it."""
PATIENCE = 600
"""How long this process waits for another one that migrates the same schema [seconds]."""
TURN = zlib.crc32(f"alembic {SCHEMA}".encode()) >> 1
OTHERS = f"""
SELECT pid, backend_start FROM pg_catalog.pg_locks JOIN pg_catalog.pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND classid = '{TURN}' AND objsubid = '2' AND granted AND pid <> pg_catalog.pg_backend_pid()
AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) AND usename = current_user
"""

if context.config.config_file_name is not None and context.config.file_config.has_section("loggers"):
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)


def address() -> URL:
    """The URL in the environment, for this driver."""
    try:
        url = make_url(os.environ[VARIABLE])
    except KeyError:
        raise CommandError(f"{VARIABLE} is not set: set it to the URL of {ROLE}") from None
    except ArgumentError:
        raise CommandError(f"{VARIABLE} is not the URL of a database: set it to the URL of {ROLE}") from None
    query = {"sslmode" if word in ("sslmode", "ssl") else word: value for word, value in url.query.items()}
    return url.set(drivername=DRIVER, query=query)


def shown(name: str | None, type_: str, parent_names: object) -> bool:
    """Shows autogenerate only this schema, and in it only what `options` allows.

    To Alembic, this schema's name is None, and its version table is an ordinary table.
    """
    if type_ == "schema":
        return name in (None, SCHEMA)
    if type_ == "table" and name == "alembic_version":
        return False
    also = options.get("include_name")
    return also is None or also(name, type_, parent_names)


def refuse_others(connection: Connection) -> None:
    """Refuses another role, another schema, and a pooler, which would not keep locks for the session."""
    found = connection.execute(text("SELECT current_user, current_schema(), pg_backend_pid()"))
    role, schema, process = found.one()
    connection.rollback()
    if role != ROLE:
        raise CommandError(f"{VARIABLE} logs in as {role}, but these are the migrations of {ROLE}")
    if schema != SCHEMA:
        where = f"would make its tables in {schema or 'no schema'}"
        raise CommandError(f"{ROLE} {where}: {SCHEMA} does not exist, or another schema comes first")
    if process != connection.connection.driver_connection.info.backend_pid:
        raise CommandError(f"{VARIABLE} leads to a pooler, but migrations need the server's own address")


def wait_for_turn(connection: Connection) -> None:
    """Takes an advisory lock until the session ends; waits while another session of this role has one.

    Every role may take any advisory lock, so each session takes a free one, and only those of this role count. It
    tries again and again: if it waited in the server, it would block CREATE INDEX CONCURRENTLY of the other session.
    """
    told, end = False, time.monotonic() + PATIENCE
    while True:
        mine = f"({TURN}, {random.getrandbits(31)})"
        taken = connection.scalar(text(f"SELECT pg_catalog.pg_try_advisory_lock{mine}"))
        other = connection.execute(text(OTHERS)).first()
        if taken and not other:
            connection.commit()
            return
        if taken:
            connection.execute(text(f"SELECT pg_catalog.pg_advisory_unlock{mine}"))
        connection.rollback()
        if other and time.monotonic() > end:
            raise CommandError(
                f"Process {other.pid} of {ROLE}, logged in since {other.backend_start}, migrates {SCHEMA} and did not"
                f" end within {PATIENCE} seconds. Nothing was changed. To end it, run this as {ROLE}, then try again:"
                f" SELECT pg_terminate_backend({other.pid})"
            )
        if other and not told:
            log.info("Waiting for process %s of %s, which migrates %s", other.pid, ROLE, SCHEMA)
            told = True
        time.sleep(random.uniform(0.2, 0.8))


def migrate(connection: Connection) -> None:
    """Runs the command that Alembic was given."""
    refuse_others(connection)
    wait_for_turn(connection)
    connection.execute(text('SET search_path TO "madansara"'))
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    # Otherwise the migrations would join this transaction, which nobody commits.
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=target_metadata,
        version_table_schema=SCHEMA,
        **{**options, "include_name": shown},
    )
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Runs the migrations in a session of their own."""
    engine = create_engine(address(), poolclass=pool.NullPool)
    with engine.connect() as connection:
        migrate(connection)


def run_offline() -> None:
    """Writes a script that refuses to run as any other role."""
    context.configure(
        dialect_name="postgresql",
        target_metadata=target_metadata,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
        version_table_schema=SCHEMA,
        **options,
    )
    with context.begin_transaction():
        context.execute(
            "DO $$ BEGIN IF current_user <> 'madansara_user'"
            " THEN RAISE EXCEPTION 'run this script as the role of the service, not as %', current_user; END IF; END $$"
        )
        context.execute('SET search_path TO "madansara"')
        context.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online()

# digest of all but yours: c15fea50d373499a
