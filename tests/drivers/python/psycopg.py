"""psycopg 3."""

import psycopg

from tests.drivers.python.told import POOLED, QUERY, ROUNDS, tell


def login(url: str) -> str:
    with psycopg.connect(url, prepare_threshold=None if POOLED else 5) as session:
        return [str(session.execute(QUERY.encode()).fetchall()[0][0]) for _ in ROUNDS][-1]


tell(login)
