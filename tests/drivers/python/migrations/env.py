"""An environment as `alembic init` makes one, that also asks where it is."""

from alembic import context
from sqlalchemy import NullPool, engine_from_config

from tests.drivers.python.told import QUERY, ROUNDS

section = context.config.get_section(context.config.config_ini_section, {})
with engine_from_config(section, prefix="sqlalchemy.", poolclass=NullPool).connect() as session:
    context.configure(connection=session)
    with context.begin_transaction():
        context.run_migrations()
    for _ in ROUNDS:
        context.config.attributes["found"].append(str(session.exec_driver_sql(QUERY).scalar_one()))
