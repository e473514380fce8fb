"""The verifier, against the one that libpq computes."""

from __future__ import annotations

from base64 import b64decode

import pytest
from psycopg import pq

from engarde.server.credentials import scram_salt, scram_verifier


def test_the_same_stack_role_and_rotation_give_the_same_salt() -> None:
    one = scram_salt("engarde", "prod", "a_user", 1)
    assert len(one) == 16
    assert one == scram_salt("engarde", "prod", "a_user", 1)
    others = [("x", "prod", "a_user", 1), ("engarde", "x", "a_user", 1), ("engarde", "prod", "x", 1)]
    assert one not in [scram_salt(*other) for other in [*others, ("engarde", "prod", "a_user", 2)]]


def test_libpq_computes_the_same_verifier_with_the_same_salt() -> None:
    try:
        theirs = pq.PGconn.connect(b"host=127.0.0.1 port=1").encrypt_password(b"Secret123", b"u", b"scram-sha-256")
    except pq.abc.NotSupportedError as error:  # type: ignore[attr-defined]
        pytest.fail(str(error))
    salt = b64decode(theirs.decode().split("$")[1].split(":")[1])
    assert scram_verifier("Secret123", salt) == theirs.decode()
