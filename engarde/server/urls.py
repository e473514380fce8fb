"""Connection URLs in every form a driver may want; plain is the one that is right in all of them."""

from __future__ import annotations

from urllib.parse import quote

from engarde.declaration.address import Address, Server
from engarde.declaration.declared import SslMode, UrlFormat
from engarde.declaration.names import PUBLIC


def url(
    form: UrlFormat,
    address: Address | Server,
    database: str,
    role: str,
    password: str,
    schema: str | None = None,
) -> str:
    """The URL with which the role logs in; only the form `options` carries the schema's search_path."""
    where = f"{_host(address.host)}:{address.port}/{quote(database, safe='')}"
    user, secret = quote(role, safe=""), quote(password, safe="")
    tls = _tls(form, address.sslmode)
    if form == "jdbc":
        return _with(f"jdbc:postgresql://{where}", f"user={user}&password={secret}", tls)
    scheme = form.replace("sqlalchemy", "postgresql") if form.startswith("sqlalchemy") else "postgresql"
    path = f"options={_search_path(schema)}" if form == "options" and schema is not None else ""
    return _with(f"{scheme}://{user}:{secret}@{where}", path, tls)


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _with(bare: str, *parameters: str) -> str:
    return "?".join(filter(None, (bare, "&".join(filter(None, parameters)))))


def _tls(form: UrlFormat, sslmode: SslMode | None) -> str:
    """The query parameter that means libpq's mode to the form's driver, or comes nearest to it."""
    # pg8000 takes none: it asks every server for TLS, and SQLAlchemy's TypeError answers whatever a URL adds.
    if sslmode is None or form == "sqlalchemy+pg8000":
        return ""
    if form == "node-postgres":
        # By itself it verifies in every mode but disable, as it does for allow even when told to be like libpq.
        return "sslmode=disable" if sslmode in ("disable", "allow") else f"uselibpqcompat=true&sslmode={sslmode}"
    # SQLAlchemy hands query parameters to the driver as they are, and asyncpg's own word is `ssl`.
    return f"ssl={sslmode}" if form == "sqlalchemy+asyncpg" else f"sslmode={sslmode}"


def _search_path(schema: str) -> str:
    """`-c search_path=...` as libpq and the server take it apart: a backslash guards a space, then percent-encoded."""
    plain = schema.isascii() and schema.replace("_", "a").isalnum() and schema == schema.lower()
    name = schema if plain and not schema[0].isdigit() else '"' + schema.replace('"', '""') + '"'
    guarded = f"{name},{PUBLIC}".replace("\\", "\\\\").replace(" ", "\\ ")
    return quote(f"-c search_path={guarded}", safe="-_.")
