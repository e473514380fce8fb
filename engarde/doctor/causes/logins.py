"""Causes of `password authentication failed` and of roles that may not log in."""

from __future__ import annotations

import re
from urllib.parse import unquote

from engarde.checks.under_way import under_way
from engarde.declaration.loader import password_words
from engarde.declaration.model import Analytics, Service
from engarde.doctor import remedies
from engarde.doctor.attribution import is_admin, name_of
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, confirmed, ruled_out, unknown
from engarde.errors import Refused
from engarde.output.findings import Remedy
from engarde.pulumi_cli.state import admin_password
from engarde.server import scram
from engarde.server.catalog.rows import StoredPassword
from engarde.util.quoting import statement, word

_IN_URL = r"://{}:((?:(?!://)\S)*)@"


def _login(facts: Facts) -> Service | Analytics | None:
    said = facts.role
    return next((login for login in facts.stack.logins if login.role == said), None)


def _no_such_role(facts: Facts) -> Answer:
    said = facts.role
    if said is None:
        absent = [login.role for login in facts.stack.logins if login.role not in facts.catalog.roles]
        return (
            confirmed(f"{', '.join(absent)} is not there") if absent else ruled_out("every role of the stack is there")
        )
    if said in facts.catalog.roles:
        return ruled_out(f"{said} is there")
    return confirmed(f"the server has no role {said}", remedies.up(facts) if _login(facts) else remedies.new_url(facts))


def _not_of_the_stack(facts: Facts) -> Answer:
    said = facts.role
    outside = {*(each.name for each in facts.stack.outside_roles), *facts.stack.shut_out}
    if said is None or _login(facts) or is_admin(facts.stack, said) or said in outside:
        return ruled_out("it is a role of the stack file")
    return confirmed(f"{said} is in the stack file nowhere", remedies.url(facts, remedies.SERVICE))


def _may_not_log_in(facts: Facts) -> Answer:
    for login in facts.suspects:
        known = facts.catalog.roles.get(login.role)
        if known and not known.login:
            return confirmed(f"{login.role} has NOLOGIN")
    said = facts.role
    known = facts.catalog.roles.get(said or "")
    if known and not known.login and not _login(facts):
        sql = remedies.sql(facts, statement("ALTER ROLE {} LOGIN", known.name))
        return confirmed(f"{known.name} has NOLOGIN", sql)
    return ruled_out("it may log in")


def _expired(facts: Facts) -> Answer:
    for login in facts.suspects:
        known = facts.catalog.roles.get(login.role)
        if known and known.expired:
            sql = statement("ALTER ROLE {} VALID UNTIL 'infinity'", login.role)
            return confirmed(f"{login.role} was valid until a time that has passed", remedies.sql(facts, sql))
    return ruled_out("no VALID UNTIL has passed")


def _open(facts: Facts) -> Answer:
    roles = {name_of(login): login.role for login in facts.stack.logins}
    concerned = {name_of(login) for login in facts.suspects}
    try:
        found = [each for each in under_way(facts.stack.name, roles) if each.login in concerned]
    except Refused as fault:
        return unknown(str(fault))
    if not found:
        return ruled_out("none is open on this machine")
    first, named = found[0], len(concerned) == 1
    because, goes_on = f"{first.login}: {first.what}", remedies.command(first.goes_on)
    return confirmed(because, goes_on) if named else unknown(f"{because}; the text names no role", goes_on)


def _changed_by_hand(facts: Facts) -> Answer:
    for login in facts.suspects:
        known = facts.catalog.roles.get(login.role)
        if not known or not known.login or known.expired:
            continue
        if login.role not in facts.passwords:
            return confirmed(f"{login.role} is not in the state: it was not brought up yet", remedies.up(facts))
        reason = facts.refuses(login.role, facts.passwords[login.role])
        if reason and _password_is_wrong(reason):
            return confirmed(_how_changed(facts, login), _make_known(facts, login))
        if reason and not facts.stack.server.superuser:
            return unknown(f"{login.role} is not let in: {reason}")
    return ruled_out("the password in the state logs in")


def _how_changed(facts: Facts, login: Service | Analytics) -> str:
    known = f"{login.role} is not let in with the password in the state"
    if not facts.catalog.roles[facts.stack.server.user].superuser:
        return known
    (row,) = facts.asked.rows("verifiers", StoredPassword, roles=[login.role])
    if row.stored is None:
        return f"{known}: the server has none for it"
    if not row.stored.startswith("SCRAM-SHA-256$"):
        return f"{known}: what the server keeps is no SCRAM verifier"
    made = scram.matches(facts.passwords[login.role], row.stored)
    return known if made else f"{known}: the server keeps another one's verifier"


def _make_known(facts: Facts, login: Service | Analytics) -> Remedy:
    if facts.stack.server.superuser:
        return remedies.up(facts)
    # No other admin sees what the server keeps, and an `up` of his would not change it back.
    return remedies.command(f"bin/engarde rotate --reapply {word(name_of(login))} --stack {facts.stack.name}")


def _old_url(facts: Facts) -> Answer:
    login = _login(facts)
    if login is None:
        return unknown("the text names no role of the stack")
    known = facts.passwords.get(login.role)
    if known is None or _password_is_wrong(facts.refuses(login.role, known) or ""):
        return ruled_out("no URL with the password in the state would log in")
    sent = re.search(_IN_URL.format(re.escape(login.role)), facts.heard.text)
    if sent and known == unquote(sent[1]):
        return ruled_out("the URL in the text holds the password in the state, which logs in")
    because = f"{login.role} logs in with the password in the state, so the service has another one"
    return confirmed(because, remedies.url(facts, name_of(login)))


def _admins_password(facts: Facts) -> Answer:
    said = facts.role
    if said and not is_admin(facts.stack, said):
        return ruled_out("it is not the admin's role")
    if (reason := facts.refusal) is None:
        return ruled_out("the admin's password in the stack file logs in")
    wrong = _password_is_wrong(reason)
    return confirmed("the password in the stack file is not the admin's") if wrong else unknown(reason)


def _admins_service(facts: Facts) -> Answer:
    said = facts.role
    if said is None or not is_admin(facts.stack, said):
        return ruled_out("it is not the admin's role")
    sent = re.search(_IN_URL.format(re.escape(said)), facts.heard.text)
    database = facts.stack.label if facts.stack.elsewhere else None
    if facts.refusal is None and not (sent and unquote(sent[1]) == admin_password(facts.stack.name, database)):
        return confirmed("a service logs in as the admin, with an old password", remedies.url(facts, remedies.SERVICE))
    return ruled_out("the password is the admin's")


def _password_is_wrong(reason: str) -> bool:
    return ("password" in reason.lower() and "authentication failed" in reason.lower()) or "28P01" in reason


def _set_admins_password(facts: Facts) -> Remedy:
    password = password_words(facts.stack.label if facts.stack.elsewhere else None)
    return remedies.command(f"bin/pulumi config set --secret {password} --stack {facts.stack.name}")


OPEN = Cause("a move or a rotation is open", _open, remedies.up_again)
NO_SUCH_ROLE = Cause("the server has no such role", _no_such_role, remedies.up)
STRANGER = Cause("the role is none of the stack's", _not_of_the_stack, remedies.new_url)
NOLOGIN = Cause("the role may not log in", _may_not_log_in, remedies.up)
EXPIRED = Cause("the role's password has expired", _expired, remedies.up)
CHANGED = Cause("the password was changed by hand", _changed_by_hand, remedies.up)
OLD_URL = Cause("the service's URL holds an older password", _old_url, remedies.new_url)
ADMINS = Cause("the stack file holds another admin's password", _admins_password, _set_admins_password)
SERVICE_AS_ADMIN = Cause("a service logs in as the admin", _admins_service, remedies.new_url)
