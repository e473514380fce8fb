"""Django with dj-database-url."""

import dj_database_url
from django.conf import settings
from django.db.utils import ConnectionHandler

from tests.drivers.python.told import POOLED, QUERY, ROUNDS, tell

settings.configure()


def login(url: str) -> str:
    declared = dj_database_url.parse(url, disable_server_side_cursors=POOLED)
    session = ConnectionHandler({"default": declared})["default"]
    try:
        with session.cursor() as cursor:
            for _ in ROUNDS:
                cursor.execute(QUERY)
                [(found,)] = cursor.fetchall()
            return str(found)
    finally:
        session.close()


tell(login)
