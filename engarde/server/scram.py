"""SCRAM-SHA-256 verifiers, which the server takes in place of a password (RFC 5802, RFC 7677)."""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode

ITERATIONS = 4096
"""PostgreSQL's default of `scram_iterations`."""


def salt(project: str, stack: str, role: str, rotation: int) -> bytes:
    """16 public bytes, the same on every run: another salt would be another verifier, and every preview a change."""
    return hashlib.sha256("\0".join((project, stack, role, str(rotation))).encode()).digest()[:16]


def matches(password: str, stored: str) -> bool:
    """Whether a text of `pg_authid.rolpassword` is a verifier of the password, whatever its salt."""
    kind, _, rest = stored.partition("$")
    iterations, _, salted = rest.partition("$")[0].partition(":")
    if kind != "SCRAM-SHA-256" or not iterations.isdecimal():
        return False
    return hmac.compare_digest(verifier(password, b64decode(salted), int(iterations)), stored)


def verifier(password: str, salted: bytes | None = None, iterations: int = ITERATIONS) -> str:
    """The text of `pg_authid.rolpassword` for a password of ASCII letters and digits, which SASLprep leaves alone.

    :param salted: its salt; a random one where none is given.
    """
    salted = secrets.token_bytes(16) if salted is None else salted
    key = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salted, iterations)
    stored = hashlib.sha256(hmac.digest(key, b"Client Key", "sha256")).digest()
    server = hmac.digest(key, b"Server Key", "sha256")
    parts = (f"{iterations}:{_text(salted)}", f"{_text(stored)}:{_text(server)}")
    return "SCRAM-SHA-256$" + "$".join(parts)


def _text(value: bytes) -> str:
    return b64encode(value).decode()
