"""SQLAlchemy with the synchronous driver that the URL leads it to."""

from sqlalchemy import NullPool, create_engine, make_url

from tests.drivers.python.told import POOLED, QUERY, ROUNDS, tell


def login(url: str) -> str:
    # Of psycopg alone; the other drivers know no such word.
    settings = {"prepare_threshold": None} if POOLED and make_url(url).get_dialect().driver == "psycopg" else {}
    with create_engine(url, poolclass=NullPool, connect_args=settings).connect() as session:
        return [str(session.exec_driver_sql(QUERY).scalar_one()) for _ in ROUNDS][-1]


tell(login)
