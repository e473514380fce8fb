"""A login: a declared role with its password, at the address for the operator or for services."""

import hashlib
import hmac
import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from engarde.declaration.address import Address, Server
from engarde.declaration.declared import SslMode, UrlFormat
from engarde.declaration.names import PUBLIC
from engarde.errors import ConfigError
from engarde.server.libpq import given_environment, is_libpqs
from engarde.util.timeouts import seconds

ITERATIONS = 4096
"""Of a SCRAM-SHA-256 verifier: PostgreSQL's default of `scram_iterations`."""


def url(
    form: UrlFormat,
    address: Address | Server,
    database: str,
    role: str,
    password: str,
    schema: str | None = None,
) -> str:
    """The URL with which the role logs in; only the forms `options` and `prisma` carry the schema."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    where = f"{host}:{address.port}/{quote(database, safe='')}"
    user, secret = quote(role, safe=""), quote(password, safe="")
    tls = _tls(form, address.sslmode)
    if form == "jdbc":
        bare, other = f"jdbc:postgresql://{where}", f"user={user}&password={secret}"
    else:
        scheme = form.replace("sqlalchemy", "postgresql") if form.startswith("sqlalchemy") else "postgresql"
        bare = f"{scheme}://{user}:{secret}@{where}"
        other = _own_schema(form, schema) if schema is not None else ""
    return "?".join(filter(None, (bare, "&".join(filter(None, (other, tls))))))


def _tls(form: UrlFormat, sslmode: SslMode | None) -> str:
    """The query parameter that means libpq's mode to the form's driver, or is closest to it."""
    # pg8000 takes none: it asks every server for TLS, and SQLAlchemy's TypeError answers whatever a URL adds.
    if sslmode is None or form == "sqlalchemy+pg8000":
        return ""
    if form in ("node-postgres", "prisma"):
        # By itself it verifies in every mode but disable, as it does for allow even when told to be like libpq.
        return "sslmode=disable" if sslmode in ("disable", "allow") else f"uselibpqcompat=true&sslmode={sslmode}"
    # SQLAlchemy hands query parameters to the driver as they are, and asyncpg's own word is `ssl`.
    return f"ssl={sslmode}" if form == "sqlalchemy+asyncpg" else f"sslmode={sslmode}"


def _own_schema(form: UrlFormat, schema: str) -> str:
    """The query parameter that names the schema, in the forms that have one."""
    if form == "options":
        return f"options={_search_path(schema)}"
    return f"schema={quote(schema, safe='')}" if form == "prisma" else ""


def _search_path(schema: str) -> str:
    """`-c search_path=...` as libpq and the server take it apart: a backslash guards a space, then percent-encoded."""
    plain = schema.isascii() and schema.replace("_", "a").isalnum() and schema == schema.lower()
    name = schema if plain and not schema[0].isdigit() else '"' + schema.replace('"', '""') + '"'
    guarded = f"{name},{PUBLIC}".replace("\\", "\\\\").replace(" ", "\\ ")
    return quote(f"-c search_path={guarded}", safe="-_.")


def connect_timeout() -> int:
    """How long libpq waits for a connection [seconds]; its minimum is 2."""
    return max(2, round(seconds("connect")))


@dataclass(frozen=True, slots=True)
class Access:
    address: Address | Server
    database: str
    role: str
    password: str
    form: UrlFormat = "plain"
    schema: str | None = None

    @property
    def url(self) -> str:
        return url(self.form, self.address, self.database, self.role, self.password, self.schema)

    @property
    def where(self) -> str:
        return f"{self.address.host}:{self.address.port}"

    def environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """The environment for libpq to log in with, so that no argument holds the password."""
        kept = {name: value for name, value in inherited.items() if not is_libpqs(name)}
        return kept | {
            "PGHOST": self.address.host,
            "PGPORT": str(self.address.port),
            "PGDATABASE": self.database,
            "PGUSER": self.role,
            "PGPASSWORD": self.password,
            "PGSSLMODE": self.address.sslmode or "prefer",
            "PGCONNECT_TIMEOUT": str(connect_timeout()),
        }


def from_variable(variable: str, database: str) -> Access:
    """The login of a URL in an environment variable, at the stack's database.

    :raises ConfigError: it is not set, or does not lead there; no message holds its value.
    """
    wrong = f"environment variable {variable} is not of the form postgresql://ROLE:PASSWORD@HOST:PORT/{database}"
    if (given := given_environment().get(variable)) is None:
        raise ConfigError(f"environment variable {variable} is not set; set it to the URL to connect with")
    try:
        parts = urlsplit(given)
        query = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        address = Address.model_validate_json(
            json.dumps({"host": parts.hostname, "port": parts.port or 5432, "sslmode": query.pop("sslmode", None)})
        )
    except ValueError:
        raise ConfigError(wrong) from None
    named = unquote(parts.path.removeprefix("/")) or database
    if parts.scheme not in ("postgresql", "postgres") or not parts.username or query or named != database:
        raise ConfigError(wrong)
    return Access(address, database, unquote(parts.username), unquote(parts.password or ""))


# ---- SCRAM-SHA-256 verifiers, which the server takes in place of a password (RFC 5802, RFC 7677).


def scram_salt(project: str, stack: str, role: str, rotation: int) -> bytes:
    """16 public bytes, the same in every run; another salt would change the verifier, and so every preview."""
    return hashlib.sha256("\0".join((project, stack, role, str(rotation))).encode()).digest()[:16]


def scram_matches(password: str, stored: str) -> bool:
    """Whether a text of `pg_authid.rolpassword` is a verifier of the password, whatever its salt."""
    kind, _, rest = stored.partition("$")
    iterations, _, salted = rest.partition("$")[0].partition(":")
    if kind != "SCRAM-SHA-256" or not iterations.isdecimal():
        return False
    return hmac.compare_digest(scram_verifier(password, b64decode(salted), int(iterations)), stored)


def scram_verifier(password: str, salted: bytes | None = None, iterations: int = ITERATIONS) -> str:
    """The text of `pg_authid.rolpassword` for a password of ASCII letters and digits, which SASLprep leaves alone.

    :param salted: its salt; a random one where none is given.
    """
    salted = secrets.token_bytes(16) if salted is None else salted
    key = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salted, iterations)
    stored = hashlib.sha256(hmac.digest(key, b"Client Key", "sha256")).digest()
    server = hmac.digest(key, b"Server Key", "sha256")
    parts = (f"{iterations}:{b64encode(salted).decode()}", f"{b64encode(stored).decode()}:{b64encode(server).decode()}")
    return "SCRAM-SHA-256$" + "$".join(parts)
