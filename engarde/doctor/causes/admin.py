"""Causes of errors of statements that only an owner, a member of a role or an admin may run."""

import re

from engarde.doctor import remedies
from engarde.doctor.error_text import Named
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, as_found, confirmed, ruled_out, unknown
from engarde.output.findings import Finding, Remedy
from engarde.preflight import admin_privileges
from engarde.util.quoting import statement

_WANTED = re.compile(r'(?:member of role|SET ROLE|option on role) "([^"]+)"')


def _lacks_rights(facts: Facts) -> Answer:
    admin = facts.stack.server.user
    # As the preflight asks: the check leaves out what other checks report.
    lacking = admin_privileges.missing(facts.stack, facts.observed.rights)
    if not lacking:
        return ruled_out(f"{admin} has every privilege that the stack needs")
    needed = sorted({right.needed for right in lacking})
    text = "\n".join(right.sql for right in lacking)
    return confirmed(f"{admin} lacks privileges: {'; '.join(needed)}", Remedy("sql", text, by_superuser=True))


def _is_named(facts: Facts, finding: Finding) -> bool:
    """Whether a finding is about something of this name in a service's schema."""
    return facts.named.object is not None and any(
        owned.identity in finding.things and owned.name in facts.guesses and facts.service_of(owned.schema)
        for owned in facts.catalog.strangers
    )


def _service_administers(facts: Facts) -> Answer:
    said = facts.role
    if said in _WANTED.findall(facts.error.text):
        return ruled_out("the text names the role that was needed, not the role that ran the statement")
    if facts.login and not facts.is_admin:
        if facts.named == Named():
            return unknown("the text does not say what was refused")
        return confirmed(f"{said} ran it; a service may not change roles or objects of others")
    if said:
        return ruled_out("the text names no role of a service")
    return unknown("the text does not say which role ran it")


def _extension(facts: Facts) -> Answer:
    name = facts.named.object or ""
    offered = facts.observed.offered(name).get(name)
    if offered is None:
        return confirmed(
            f"the server does not have {name}", remedies.code(f"install {name} on the server, or do without it")
        )
    if offered.installed:
        return ruled_out(f"{name} is installed now; CREATE EXTENSION IF NOT EXISTS does nothing then")
    if any(extension.name == name for extension in facts.stack.extensions):
        if admin_privileges.missing(facts.stack, facts.observed.rights):
            return ruled_out(f"{name} is declared, but the admin lacks privileges")
        return confirmed(f"{name} is declared, but not installed", remedies.up_again(facts))
    return confirmed(f"{name} is not in the stack file; the admin creates only declared extensions")


def _declare_extension(facts: Facts) -> Remedy:
    where = f"{{databases: [{remedies.scalar(facts.stack.label)}]}}" if facts.stack.label else "{}"
    return remedies.edit("engarde:extensions", facts.named.object or "EXTENSION", value=where)


def _makes_a_database(facts: Facts) -> Answer:
    if facts.is_admin:
        return ruled_out("the admin ran it")
    return confirmed("a service has one database and may not create another")


def _bootstrap(facts: Facts) -> Remedy:
    admin, database = facts.stack.server.user, facts.stack.server.database
    text = (
        f"{statement('ALTER ROLE {} CREATEROLE', admin)}\n{statement('ALTER DATABASE {} OWNER TO {}', database, admin)}"
    )
    return Remedy("sql", text, by_superuser=True)


STRANGER_OWNS = Cause.of_check(
    "an object in a service's schema belongs to another role",
    "owner",
    "inheritance",
    because="{subject} is {actual}; expected: {expected}",
    otherwise="every object of this name in a service's schema belongs to the service",
    so=_is_named,
    heal=as_found,
)
LACKING = Cause("the admin lacks privileges that the stack needs", _lacks_rights, _bootstrap)
CALLED_SUPERUSER = Cause.of_check(
    "the stack file says that the admin is a superuser, but it is not",
    "admin",
    because="{subject} is {actual}",
    otherwise="the stack file says correctly whether the admin is a superuser",
    remedy=_bootstrap,
    so=lambda facts, finding: finding.remedy.kind == "edit",
    heal=as_found,
)
SERVICE = Cause(
    "a service runs a statement that only the admin may run",
    _service_administers,
    lambda facts: remedies.command(f"bin/engarde psql admin --stack {facts.stack.name}"),
)
EXTENSION = Cause("the extension is not installed", _extension, _declare_extension)
DATABASE = Cause(
    "the service creates a database",
    _makes_a_database,
    remedies.code(
        "create no database; Prisma creates one for `migrate dev`:"
        " run `prisma migrate deploy` instead, or set a shadowDatabaseUrl"
    ),
)
EVENT_TRIGGER = Cause(
    "the service creates an event trigger",
    confirmed("only superusers may create event triggers, because they run as every role"),
    remedies.code("do without the event trigger: it would run as every role of the database"),
)
POLICY = Cause(
    "a policy of the table refuses the row",
    confirmed("the table's policies do not allow this role to write the row"),
    remedies.code("write only rows that the policies allow, or let the table's owner change the policies"),
)
