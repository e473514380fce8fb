"""What of a dump reaches the server: names that look like its end, and nothing that lifts the session's limits."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from engarde.backup import archive
from engarde.backup.archive import Archive
from engarde.backup.clients import Client

HEAD = """--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SELECT pg_catalog.set_config('search_path', '', false);
SET row_security = off;

--
-- Name: t; Type: TABLE; Schema: s; Owner: -
--

CREATE TABLE s.t (n integer);


--
-- PostgreSQL database dump complete
--
"""


def test_definitions_lift_no_limit_of_the_session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(archive, "_printed", lambda command: HEAD.splitlines(keepends=True))
    assert Archive(tmp_path, Client(tmp_path, "17.0"), tmp_path).definitions("pre-data") == [
        "SET client_encoding = 'UTF8'",
        "SET row_security = off",
        "CREATE TABLE s.t (n integer)",
    ]


@pytest.mark.parametrize("name", ["x FROM stdin;\ny", "COPY z FROM stdin;\n1\n\\.\n", 'a"" FROM stdin;\n'])
def test_a_name_is_read_to_its_end(name: str) -> None:
    statement = f'COPY s."{name}" (n) FROM stdin'
    stream = io.BytesIO(f"{statement};\n1\n\\.\n\n".encode())
    [(found, rows)] = [(copy, b"".join(parts)) for copy, parts in archive._tables(stream)]
    assert (found, rows) == (statement, b"1\n")
