"""asyncpg by itself."""

import asyncio

import asyncpg

from tests.drivers.python.told import POOLED, QUERY, ROUNDS, tell


async def login(url: str) -> str:
    session = await asyncpg.connect(url, statement_cache_size=0 if POOLED else 100)
    try:
        return [str(await session.fetchval(QUERY)) for _ in ROUNDS][-1]
    finally:
        await session.close()


tell(lambda url: asyncio.run(login(url)))
