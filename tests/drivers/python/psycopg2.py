"""psycopg2."""

from contextlib import closing

import psycopg2

from tests.drivers.python.told import QUERY, ROUNDS, tell


def login(url: str) -> str:
    with closing(psycopg2.connect(url)) as session, session.cursor() as cursor:
        for _ in ROUNDS:
            cursor.execute(QUERY)
            [(found,)] = cursor.fetchall()
        return str(found)


tell(login)
