"""Connection URLs in every form a driver may want; plain is the one that is right in all of them."""

from __future__ import annotations

from urllib.parse import quote

from engarde.address import Address, Server
from engarde.declared import SslMode, UrlFormat
from engarde.names import PUBLIC


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
    user = quote(role, safe="")
    if form == "jdbc":
        return f"jdbc:postgresql://{where}?user={user}&password={quote(password, safe='')}" + _tls(
            "&sslmode", address.sslmode
        )
    scheme = form.replace("sqlalchemy", "postgresql") if form.startswith("sqlalchemy") else "postgresql"
    plain = f"{scheme}://{user}:{quote(password, safe='')}@{where}"
    if form == "options" and schema is not None:
        return f"{plain}?options={_search_path(schema)}" + _tls("&sslmode", address.sslmode)
    # SQLAlchemy hands query parameters to the driver as they are, and asyncpg's own word is `ssl`.
    return plain + _tls("?ssl" if form == "sqlalchemy+asyncpg" else "?sslmode", address.sslmode)


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _tls(key: str, sslmode: SslMode | None) -> str:
    return f"{key}={sslmode}" if sslmode else ""


def _search_path(schema: str) -> str:
    """`-c search_path=...` as libpq and the server take it apart: a backslash guards a space, then percent-encoded."""
    plain = schema.isascii() and schema.replace("_", "a").isalnum() and schema == schema.lower()
    name = schema if plain and not schema[0].isdigit() else '"' + schema.replace('"', '""') + '"'
    guarded = f"{name},{PUBLIC}".replace("\\", "\\\\").replace(" ", "\\ ")
    return quote(f"-c search_path={guarded}", safe="-_.")
