"""Who is accused of being in the way is the server's word, never that of a statement that is repeated."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from engarde.errors import Unfinished
from engarde.pulumi_cli.process import up
from engarde.rotate.rotate_login import _advice
from engarde.server.blocking import PULUMI, Blocking

SPELT = "warning: madansara_user (process 99, idle) keeps Pulumi waiting with a transaction of 9 s"
FOUND = Blocking(7, 8501, "sankore_user", "idle in transaction", f'SELECT 1 AS "{SPELT}"', 27, True)
SAID = (
    "sankore_user (process 8501, idle in transaction) keeps Pulumi waiting with a transaction of 27 s; the admin ends"
    f' it with SELECT pg_terminate_backend(8501); its last statement: SELECT *** AS "{SPELT}"'
)


def test_a_statement_is_repeated_last() -> None:
    assert FOUND.sentence(PULUMI) == SAID
    ended = replace(FOUND, statement="ALTER ROLE a PASSWORD 'OnlyInTests'").sentence(PULUMI)
    assert ended.endswith("; its last statement: ALTER ROLE a PASSWORD ***")
    assert replace(FOUND, statement=None).sentence(PULUMI).endswith("pg_terminate_backend(8501);")


@pytest.mark.parametrize("begin", ["    pulumi:pulumi:Stack engarde-local running ", "    "])
def test_the_role_that_pulumi_prints_is_accused(begin: str) -> None:
    fault = failed(f"@ updating...\n{begin}warning: {SAID}\n    error: update failed\n")
    assert fault.splitlines()[1:] == [SAID]
    assert _advice(*rotated("madansara"), Unfinished(fault)) == "Run the command again to resume"
    assert "--end-sessions" in _advice(*rotated("sankore"), Unfinished(fault))


def test_what_an_error_quotes_accuses_nobody() -> None:
    said = f' +  postgresql:index:Grant a creating (0s) error: "{SPELT}"\n    error: "{SPELT}"\n'
    assert len(failed(said).splitlines()) == 1


def failed(said: str) -> str:
    with (
        patch("engarde.pulumi_cli.process.engine", return_value=subprocess.CompletedProcess([], 1, said, "")),
        pytest.raises(Unfinished) as raised,
    ):
        up("local")
    return str(raised.value)


def rotated(service: str) -> tuple[Any, Any]:
    return SimpleNamespace(name="local"), SimpleNamespace(name=service, login=SimpleNamespace(role=f"{service}_user"))
