"""How findings name things, and which roles and schemas they concern."""

import hashlib
from collections.abc import Sequence

from engarde.declaration.model import Analytics, DatabaseStack, Service
from engarde.declaration.names import PUBLIC
from engarde.output.findings import Remedy
from engarde.server.catalog import Catalog
from engarde.util.quoting import quoted
from engarde.util.terminal import first_few

SHOWN = 3
"""How many of several things a subject names."""


def grantee(name: str) -> str:
    """A grantee in SQL."""
    return "PUBLIC" if name == PUBLIC else quoted(name)


def called(name: str) -> str:
    """A grantee for people to read."""
    return "PUBLIC" if name == PUBLIC else name


def some(items: Sequence[str]) -> str:
    """The first few of many, how many more there are, and a mark that changes with those that are left out."""
    shown = first_few(items, SHOWN)
    if len(items) <= SHOWN:
        return shown
    mark = hashlib.sha256("\0".join(items[SHOWN:]).encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{shown} ({mark})"


def provided_schemas(stack: DatabaseStack, catalog: Catalog) -> frozenset[str]:
    """Schemas that extensions made for themselves."""
    return frozenset(schema.name for schema in catalog.schemas.values() if schema.provided) - set(stack.schemas)


def about(login: Service | Analytics) -> frozenset[str]:
    """What a finding about a login concerns: the role, and the schema that it owns."""
    return frozenset({login.role} | ({login.schema_} if isinstance(login, Service) else set()))


def up(stack: DatabaseStack, *, refresh: bool = True) -> Remedy:
    """`pulumi up`; with `refresh` it also restores what was dropped or changed on the server."""
    return Remedy("command", f"bin/pulumi up{' --refresh' if refresh else ''} --stack {stack.name}")
