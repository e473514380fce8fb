"""Causes of what only an owner, a member or an admin of roles may do."""

from __future__ import annotations

import re

from engarde.checks.placement import place
from engarde.doctor import remedies
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, confirmed, ruled_out
from engarde.doctor.suspects import is_admin
from engarde.findings import Remedy
from engarde.quoting import statement
from engarde.rights import ask, missing

_WANTED = re.compile(r'(?:member of role|SET ROLE|option on role) "([^"]+)"')


def _lacks_rights(facts: Facts) -> Answer:
    admin = facts.stack.server.user
    needed = missing(facts.stack, ask(facts.stack, facts.asked))
    if not needed:
        return ruled_out(f"{admin} has every right that the stack needs")
    because = f"{admin} lacks {len(needed)} rights: {'; '.join(sorted({each.needed for each in needed}))}"
    text = "\n".join(each.sql for each in needed)
    return confirmed(because, Remedy("sql", text, by_superuser=True))


def _called_superuser(facts: Facts) -> Answer:
    server = facts.stack.server
    known = facts.catalog.roles.get(server.user)
    if server.superuser and known and not known.superuser:
        return confirmed(f"{server.user} is no superuser", remedies.edit("engarde:server", "superuser", value="false"))
    return ruled_out(f"{server.user} is what the stack file says")


def _stranger_owns(facts: Facts) -> Answer:
    for each in facts.catalog.strangers:
        service = facts.service_of(each.schema)
        if service and facts.named.object and each.name in facts.guesses:
            heal = place(facts.stack, facts.catalog, each).remedy
            return confirmed(f"{each.kind} {each.identity} is {each.owner}'s", heal)
    return ruled_out("what has this name in a service's schema is its own")


def _service_administers(facts: Facts) -> Answer:
    said = facts.role
    if said in _WANTED.findall(facts.heard.text):
        return ruled_out("the text names the role that is wanted, and not who wanted it")
    if said and not is_admin(facts.stack, said) and said in {login.role for login in facts.stack.logins}:
        return confirmed(f"it was {said} that asked, which may do nothing with roles or with what is another's")
    return ruled_out("the text names no role of a service")


def _as_admin(facts: Facts) -> Remedy:
    return remedies.command(f"bin/engarde psql admin --stack {facts.stack.name}")


def _bootstrap(facts: Facts) -> Remedy:
    admin, database = facts.stack.server.user, facts.stack.server.database
    text = "\n".join(
        (statement("ALTER ROLE {} CREATEROLE", admin), statement("ALTER DATABASE {} OWNER TO {}", database, admin))
    )
    return Remedy("sql", text, by_superuser=True)


STRANGER_OWNS = Cause("something in a service's schema belongs to somebody else", _stranger_owns, remedies.up)
LACKING = Cause("the admin lacks rights that the stack needs", _lacks_rights, _bootstrap)
CALLED_SUPERUSER = Cause("the stack file calls the admin a superuser", _called_superuser, _bootstrap)
SERVICE = Cause("a service does what is the admin's", _service_administers, _as_admin)
