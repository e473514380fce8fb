"""What "denied" means."""

import psycopg
import pytest

from tests.engine.database import Session


def denied(session: Session, statement: str) -> None:
    """The server refuses the statement for want of a privilege (SQLSTATE 42501), and for nothing else."""
    try:
        # What a role may do itself is no refusal.
        session.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")
        session.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        return
    except psycopg.Error as error:
        pytest.fail(f"{session.info.user}: {statement}: not denied but {error.sqlstate}: {error}")
    pytest.fail(f"{session.info.user}: {statement}: allowed")
