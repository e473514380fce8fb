"""Two services for each form, one of them rotated: schemas, a table that `public` has, too, and exported URLs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from psycopg import sql

from devtools.server import HOST
from engarde.declaration.declared import SslMode, UrlFormat
from tests.drivers.programs import Found, Url
from tests.engine.program import Project

FORMS: tuple[UrlFormat, ...] = get_args(UrlFormat)
SCHEMAS: dict[UrlFormat, str] = {"plain": "Madan Sara", "options": "Field,'Notes'", "jdbc": "on-side.2"}
"""Names that need quotes, where the form may get them wrong."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A service whose URL has the form."""

    form: UrlFormat
    rotated: bool
    """whether it gets another password once it has been used"""

    @property
    def service(self) -> str:
        return self.form.replace("+", "-") + self._suffix

    @property
    def role(self) -> str:
        return f"{self.service}_user"

    @property
    def schema(self) -> str:
        return SCHEMAS.get(self.form, self.form) + self._suffix

    @property
    def _suffix(self) -> str:
        return "-rotated" if self.rotated else ""

    def found(self, *, encrypted: bool) -> Found:
        """What its login has to see."""
        return Found(self.role, (self.schema, "public"), self.schema, encrypted)


TENANTS = {(form, rotated): Tenant(form, rotated) for form in FORMS for rotated in (False, True)}
Urls = Mapping[Tenant, Url]


@dataclass(frozen=True, slots=True)
class Exported:
    """What a stack has exported: the URLs in force, and those that the rotation has put out of force."""

    urls: Urls
    past: Urls


def bring_up(
    project: Project, port: int, sslmode: SslMode | None = None, tenants: Collection[Tenant] = tuple(TENANTS.values())
) -> Exported:
    """Brings services up, marks their schemas and rotates some, with URLs for the server's port or another."""
    address = {"host": HOST, "port": port} | ({"sslmode": sslmode} if sslmode else {})
    before = _up(project, tenants, address, rotation=1)
    _mark(project, tenants)
    after = _up(project, tenants, address, rotation=2)
    changed = {tenant for tenant in tenants if after[tenant] != before[tenant]}
    assert changed == {tenant for tenant in tenants if tenant.rotated}
    return Exported(after, before)


def _up(project: Project, tenants: Collection[Tenant], address: dict[str, Any], rotation: int) -> Urls:
    services = {tenant.service: _declared(tenant, rotation) for tenant in tenants}
    project.declare(services=services, serviceAddress=address)
    project.succeeds(project.up())
    urls = project.outputs()["database_urls"]
    return {tenant: Url(urls[tenant.service]) for tenant in tenants}


def _declared(tenant: Tenant, rotation: int) -> dict[str, Any]:
    declared = {"schema": tenant.schema, "urlFormat": tenant.form}
    return {**declared, "rotation": rotation} if tenant.rotated else declared


def _mark(project: Project, tenants: Collection[Tenant]) -> None:
    """Makes `marker` in every schema, with the schema's name in it; everybody may read that of `public`."""
    schemas = {"public": None} | {tenant.schema: tenant.role for tenant in tenants}
    with project.database.session() as session:
        for schema, role in schemas.items():
            table, word = sql.Identifier(schema, "marker"), sql.Literal(schema)
            session.execute(sql.SQL("CREATE TABLE {} AS SELECT {}::text AS word").format(table, word))
            grantee = sql.Identifier(role) if role else sql.SQL("PUBLIC")
            session.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(table, grantee))
