"""Causes of what only an owner, a member or an admin of roles may do."""

import re

from engarde.doctor import remedies
from engarde.doctor.error_text import Named
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, as_found, confirmed, ruled_out, unknown
from engarde.output.findings import Finding, Remedy
from engarde.util.quoting import statement

_WANTED = re.compile(r'(?:member of role|SET ROLE|option on role) "([^"]+)"')


def _lacks_rights(facts: Facts) -> Answer:
    admin = facts.stack.server.user
    lacking = [finding for finding in facts.found("admin") if finding.remedy.kind == "sql"]
    if not lacking:
        return ruled_out(f"{admin} has every right that the stack needs")
    needed = sorted({finding.expected.removeprefix("enough rights: ") for finding in lacking})
    text = "\n".join(finding.remedy.text for finding in lacking)
    return confirmed(
        f"{admin} lacks {len(lacking)} rights: {'; '.join(needed)}", Remedy("sql", text, by_superuser=True)
    )


def _is_named(facts: Facts, finding: Finding) -> bool:
    """Whether a finding is about something of this name in a service's schema."""
    return facts.named.object is not None and any(
        owned.identity in finding.things and owned.name in facts.guesses and facts.service_of(owned.schema)
        for owned in facts.catalog.strangers
    )


def _service_administers(facts: Facts) -> Answer:
    said = facts.role
    if said in _WANTED.findall(facts.error.text):
        return ruled_out("the text names the role that is wanted, and not who wanted it")
    if facts.login and not facts.is_admin:
        if facts.named == Named():
            return unknown("the text does not say what was refused")
        return confirmed(f"it was {said} that asked, which may do nothing with roles or with what is another's")
    if said:
        return ruled_out("the text names no role of a service")
    return unknown("the text does not say who asked")


def _extension(facts: Facts) -> Answer:
    name = facts.named.object or ""
    offered = facts.observed.offered(name).get(name)
    if offered is None:
        return confirmed(f"the server does not have {name}", remedies.code(f"do without {name}, or install it there"))
    if offered.installed:
        return ruled_out(f"{name} is there by now: CREATE EXTENSION IF NOT EXISTS makes nothing then")
    if any(extension.name == name for extension in facts.stack.extensions):
        if facts.found("admin"):
            return ruled_out(f"{name} is declared, and the admin lacks rights")
        return confirmed(f"{name} is declared, and not there", remedies.up_again(facts))
    return confirmed(f"{name} is not in the stack file, by which the admin makes it")


def _declare_extension(facts: Facts) -> Remedy:
    where = f"{{databases: [{remedies.scalar(facts.stack.label)}]}}" if facts.stack.label else "{}"
    return remedies.edit("engarde:extensions", facts.named.object or "EXTENSION", value=where)


def _makes_a_database(facts: Facts) -> Answer:
    if facts.is_admin:
        return ruled_out("it was the admin that asked")
    return confirmed("a service has one database, and makes none")


def _bootstrap(facts: Facts) -> Remedy:
    admin, database = facts.stack.server.user, facts.stack.server.database
    text = (
        f"{statement('ALTER ROLE {} CREATEROLE', admin)}\n{statement('ALTER DATABASE {} OWNER TO {}', database, admin)}"
    )
    return Remedy("sql", text, by_superuser=True)


STRANGER_OWNS = Cause.of_check(
    "something in a service's schema belongs to somebody else",
    "owner",
    because="{subject} is {actual}, not {expected}",
    otherwise="what has this name in a service's schema is its own",
    so=_is_named,
    heal=as_found,
)
LACKING = Cause("the admin lacks rights that the stack needs", _lacks_rights, _bootstrap)
CALLED_SUPERUSER = Cause.of_check(
    "the stack file calls the admin a superuser",
    "admin",
    because="{subject} is {actual}",
    otherwise="the admin is what the stack file says",
    remedy=_bootstrap,
    so=lambda facts, finding: finding.remedy.kind == "edit",
    heal=as_found,
)
SERVICE = Cause(
    "a service does what is the admin's",
    _service_administers,
    lambda facts: remedies.command(f"bin/engarde psql admin --stack {facts.stack.name}"),
)
EXTENSION = Cause("the extension is not there", _extension, _declare_extension)
DATABASE = Cause(
    "the service makes a database",
    _makes_a_database,
    remedies.code(
        "make no database; Prisma does for `migrate dev`: run `prisma migrate deploy`, or give it a shadowDatabaseUrl"
    ),
)
EVENT_TRIGGER = Cause(
    "the service makes an event trigger",
    confirmed("only superusers make event triggers, for they run as everybody"),
    remedies.code("do without the event trigger: it would run as every role of the database"),
)
POLICY = Cause(
    "a policy of the table refuses the row",
    confirmed("the row is not one that the table's policies let this role write"),
    remedies.code("write a row that the policies allow, or have the table's owner change them"),
)
