"""SQLAlchemy's asynchronous engine with the driver that the URL leads it to."""

import asyncio
from typing import Any
from uuid import uuid4

from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import create_async_engine

from tests.drivers.python.told import POOLED, QUERY, ROUNDS, tell

SETTINGS: dict[str, Any] = {
    "statement_cache_size": 0,
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": lambda: f"__asyncpg_{uuid4()}__",
}


async def login(url: str) -> str:
    engine = create_async_engine(url, poolclass=NullPool, connect_args=SETTINGS if POOLED else {})
    async with engine.connect() as session:
        return [str((await session.exec_driver_sql(QUERY)).scalar_one()) for _ in ROUNDS][-1]


tell(lambda url: asyncio.run(login(url)))
