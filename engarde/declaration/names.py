"""Which names PostgreSQL accepts, and which of them a stack may use."""

import re
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

MAX_BYTES = 63
"""The server cuts longer names without an error, so that two may become one [bytes, UTF-8]."""

ROLE_SUFFIX = "_user"
PUBLIC = "public"
"""The schema `public`, and the provider's word for the pseudo-role PUBLIC."""

SYSTEM = "pg_catalog"
"""The schema of PostgreSQL's own names."""

MAINTENANCE = "postgres"
"""The database that every server has: others are created from it, and server-wide extensions may be in it."""

VERSION_TABLE = "alembic_version"
"""Alembic's table with the revision."""

PROOF = "engarde_proof_"
"""The prefix of logins that exist while a backup is proven."""

READER = "analytics_readonly"
ANALYTICS = "analytics"
COMMAND_WORDS = frozenset({ANALYTICS, "admin"})
"""Words that the tool takes in place of a service's name."""

RESERVED_ROLES = frozenset({PUBLIC, "none"})
"""Words that PostgreSQL does not accept as the name of a role, quoted or not."""
SYSTEM_SCHEMAS = frozenset({"information_schema", "$user"})
"""`$user` in a search_path means the role's own name, never a schema with that name."""


def complaint(name: str, *, suffix: str = "") -> str | None:
    """What is wrong with the name, with its suffix, as an identifier; None if it is valid."""
    if not name:
        return "empty"
    if not name.isprintable():
        return "holds a control or an invisible character"
    if ", " in name:
        return "holds a comma followed by a space, which no search_path can name"
    if "://" in name:
        return "is an address, which may hold a password"
    if name.startswith("pg_"):
        return "reserved: names that begin with pg_ belong to PostgreSQL"
    if len((name + suffix).encode(errors="replace")) > MAX_BYTES:
        with_suffix = f" with the suffix {suffix}" if suffix else ""
        return f"longer than {MAX_BYTES} bytes{with_suffix}"
    return None


def _identifier(name: str) -> str:
    wrong = complaint(name)
    if wrong:
        raise PydanticCustomError("identifier", "invalid name: {wrong}", {"wrong": wrong})
    return name


def _database(name: str) -> str:
    if set("%?#") & set(name):
        # The provider puts the name into a URL as it is.
        raise PydanticCustomError("database", "invalid name: holds %, ? or #, which the provider cannot use")
    return _identifier(name)


def _schema(name: str) -> str:
    if name in SYSTEM_SCHEMAS:
        raise PydanticCustomError("schema", "reserved name")
    return _identifier(name)


def _managed_schema(name: str) -> str:
    if name == PUBLIC:
        raise PydanticCustomError(
            "managed_schema", "reserved name: public belongs to the production backend; see existingSchemas"
        )
    if {'"', "\\"} & set(name):
        # The provider reads the role's search_path back with the quote doubled, and fails at the backslash.
        raise PydanticCustomError(
            "managed_schema", "invalid name: holds a double quote or a backslash, which the provider cannot use"
        )
    return _schema(name)


def _role(name: str) -> str:
    if name in RESERVED_ROLES:
        raise PydanticCustomError("role", "reserved name")
    return _identifier(name)


def _relation(name: str) -> str:
    if not name or len(name.encode(errors="replace")) > MAX_BYTES or not name.isprintable():
        raise PydanticCustomError("relation", "invalid name: 1 to 63 bytes, no control characters")
    return name


Identifier = Annotated[str, AfterValidator(_identifier)]
"""A role or an extension."""

DatabaseName = Annotated[str, AfterValidator(_database)]

SchemaName = Annotated[str, AfterValidator(_schema)]
ManagedSchemaName = Annotated[str, AfterValidator(_managed_schema)]
RoleName = Annotated[str, AfterValidator(_role)]
"""A role that the stack makes."""
RelationName = Annotated[str, AfterValidator(_relation)]
"""A table, column or extension that the stack does not create: `pg_` is allowed."""


QUOTED = re.compile(r'"(?P<name>(?:[^"]|"")*+)(?P<end>"?)')
"""A quoted SQL name at the start of a text; without its closing quote, `end` is empty."""


def unquoted(quoted: re.Match[str]) -> str:
    return quoted["name"].replace('""', '"')


def split(text: str) -> tuple[str, ...] | None:
    """The parts of a name between its dots; quotes protect dots as in SQL, case is kept; None if it is invalid."""
    parts: list[str] = []
    rest = text
    while rest:
        if quoted := QUOTED.match(rest):
            if not quoted["end"]:
                return None
            part, rest = unquoted(quoted), rest[quoted.end() :]
        else:
            part, dot, after = rest.partition(".")
            rest = dot + after
        parts.append(part)
        if rest and not (rest.startswith(".") and len(rest) > 1):
            return None
        rest = rest[1:]
    return tuple(parts) if parts and all(parts) else None


def split_table(text: str) -> tuple[str, str] | None:
    """Schema and table of `schema.table`, as `split` reads it; None if it has another form."""
    parts = split(text)
    return (parts[0], parts[1]) if parts and len(parts) == 2 else None


def _place(text: str) -> str:
    if split_table(text) is None:
        raise PydanticCustomError("place", "not of the form database.schema")
    return text


PlaceName = Annotated[str, AfterValidator(_place)]
"""A schema and its database, as `spelled` writes them."""


def spelled(*parts: str) -> str:
    """The text that `split` splits into these parts."""
    return ".".join('"' + part.replace('"', '""') + '"' if set('."') & set(part) else part for part in parts)
