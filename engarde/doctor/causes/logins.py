"""Causes in the role that logs in and its password, and roles that may not log in."""

import re
from urllib.parse import unquote

from engarde.checks.logins import password_remedy
from engarde.declaration.loader import password_words
from engarde.declaration.model import Analytics, Service
from engarde.declaration.resource_names import login_name
from engarde.doctor import remedies
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, as_found, bring_back, confirmed, ruled_out, unknown
from engarde.errors import LoginRefused, Refused, Why
from engarde.output.findings import Remedy
from engarde.pulumi_cli.state import admin_password
from engarde.server.credentials import Access, scram_matches
from engarde.server.session import session
from engarde.util.quoting import statement

_IN_URL = r"://{}:((?:(?!://)\S)*)@"


def _no_such_role(facts: Facts) -> Answer:
    said = facts.role
    if said is None:
        if absent := [finding.subject for finding in facts.found("role")]:
            return confirmed(f"the server has no role {', '.join(absent)}")
        return ruled_out("every role of the stack exists")
    if said in facts.catalog.roles:
        return ruled_out(f"{said} exists")
    return confirmed(f"the server has no role {said}", bring_back(facts) if facts.login else remedies.new_url(facts))


def _not_of_the_stack(facts: Facts) -> Answer:
    said = facts.role
    if said is None or facts.is_admin or said in facts.declared_roles or said in facts.stack.shut_out:
        return ruled_out("the role is in the stack file")
    return confirmed(f"{said} is not in the stack file", remedies.url(facts, remedies.SERVICE))


def _may_not_log_in(facts: Facts) -> Answer:
    for finding in facts.found("attributes"):
        if facts.is_suspected(finding) and "NOLOGIN" in finding.actual.split(", "):
            return confirmed(f"{finding.subject} has NOLOGIN")
    said = facts.role
    known = facts.catalog.roles.get(said or "")
    if known and not known.login and not facts.login:
        sql = remedies.sql(facts, statement("ALTER ROLE {} LOGIN", known.name))
        return confirmed(f"{known.name} has NOLOGIN", sql)
    return ruled_out("the role may log in")


def _open(facts: Facts) -> Answer:
    concerned = {login_name(login) for login in facts.suspects}
    try:
        found = [finding for finding in facts.found("open move", "open rotation") if finding.subject in concerned]
    except Refused as fault:
        return unknown(str(fault))
    if not found:
        return ruled_out("no split or rotation in question is unfinished on this machine")
    because, goes_on = f"{found[0].subject}: {found[0].actual}", found[0].remedy
    if len(concerned) == 1:
        return confirmed(because, goes_on)
    return unknown(f"{because}; the text names no role", goes_on)


def _refusal(facts: Facts, role: str, password: str) -> LoginRefused | None:
    """Why the server does not let the role in with this password; None when it does."""
    server = facts.stack.server
    try:
        with session(Access(server, server.database, role, password)):
            return None
    except LoginRefused as error:
        return error


def _changed_by_hand(facts: Facts) -> Answer:
    for login in facts.suspects:
        known = facts.catalog.roles.get(login.role)
        if not known or not known.login or known.expired:
            continue
        if login.role not in facts.passwords:
            return confirmed(f"{login.role} is not in the state: `pulumi up` has not created it yet")
        refusal = _refusal(facts, login.role, facts.passwords[login.role])
        if refusal and refusal.why is Why.PASSWORD:
            return confirmed(_how_changed(facts, login), password_remedy(facts.stack, login))
        if refusal and not facts.stack.server.superuser:
            return unknown(f"{login.role} cannot log in: {refusal.reason}")
    return ruled_out("the password in the state works")


def _how_changed(facts: Facts, login: Service | Analytics) -> str:
    known = f"{login.role} cannot log in with the password in the state"
    if not facts.catalog.roles[facts.stack.server.user].superuser:
        return known
    stored = next(row.stored for row in facts.observed.verifiers if row.role == login.role)
    if stored is None:
        return f"{known}: the server has no password for it"
    if not stored.startswith("SCRAM-SHA-256$"):
        return f"{known}: the server's verifier for it is not a SCRAM verifier"
    made = scram_matches(facts.passwords[login.role], stored)
    return known if made else f"{known}: the server has the verifier of another password"


def _sent(facts: Facts, role: str) -> str | None:
    """The role's password in a URL of the text."""
    found = re.search(_IN_URL.format(re.escape(role)), facts.error.text)
    return unquote(found[1]) if found else None


def _old_url(facts: Facts) -> Answer:
    login = facts.login
    if login is None:
        return unknown("the text names no role of the stack")
    known = facts.passwords.get(login.role)
    refusal = _refusal(facts, login.role, known) if known is not None else None
    if known is None or (refusal and refusal.why is Why.PASSWORD):
        return ruled_out("the state has no password that works, so no URL does")
    if known == _sent(facts, login.role):
        return ruled_out("the URL in the text has the password in the state, which works")
    because = f"{login.role} can log in with the password in the state, so the service uses another one"
    return confirmed(because, remedies.url(facts, login_name(login)))


def _admins_password(facts: Facts) -> Answer:
    if facts.role and not facts.is_admin:
        return ruled_out("the role is not the admin")
    if (refusal := facts.refusal) is None:
        return ruled_out("the admin's password in the stack file works")
    if refusal.why is Why.PASSWORD:
        return confirmed("the admin cannot log in with the password in the stack file")
    return unknown(refusal.reason)


def _admins_service(facts: Facts) -> Answer:
    if facts.role is None or not facts.is_admin:
        return ruled_out("the role is not the admin")
    sent = _sent(facts, facts.role)
    database = facts.stack.label if facts.stack.elsewhere else None
    if facts.refusal is None and not (sent and sent == admin_password(facts.stack.name, database)):
        return confirmed("a service logs in as the admin, with an old password", remedies.url(facts, remedies.SERVICE))
    return ruled_out("the text has the admin's current password, or the admin cannot log in either")


def _set_admins_password(facts: Facts) -> Remedy:
    password = password_words(facts.stack.label if facts.stack.elsewhere else None)
    return remedies.command(f"bin/pulumi config set --secret {password} --stack {facts.stack.name}")


def _another_role(facts: Facts) -> Answer:
    stack, said = facts.stack, facts.role
    if facts.login:
        return ruled_out(f"{said} is the role of {login_name(facts.login)}")
    if said:
        schema = facts.known_as([service.schema_ for service in stack.services])
        service = facts.service_of(schema)
        what = "is the admin" if facts.is_admin else "is not a role of this stack"
        return confirmed(f"{said} {what}", remedies.url(facts, service.name if service else remedies.SERVICE))
    others = {role for role, superuser in facts.entrants.items() if not superuser}
    if strangers := sorted(others - facts.declared_roles - {stack.server.user}):
        return unknown(f"the text names no role; {', '.join(strangers)} may connect, too")
    return ruled_out(f"only roles of the stack file may connect to {stack.server.database}")


WRONG_ROLE = Cause("the URL does not name the service's own role", _another_role, remedies.new_url)
OPEN = Cause("a split or a rotation is not finished", _open, remedies.up_again)
NO_SUCH_ROLE = Cause("the server has no such role", _no_such_role, bring_back)
STRANGER = Cause("the role is not in the stack file", _not_of_the_stack, remedies.new_url)
NOLOGIN = Cause("the role may not log in", _may_not_log_in, bring_back)
EXPIRED = Cause.of_check(
    "the role's password has expired",
    "attributes",
    because="the password of {subject} is no longer valid (VALID UNTIL)",
    otherwise="no password in question has expired",
    when=lambda facts: bool(facts.suspects),
    so=lambda facts, finding: facts.is_suspected(finding) and finding.actual.endswith("that has passed"),
    heal=as_found,
)
CHANGED = Cause("the password was changed by hand", _changed_by_hand, bring_back)
OLD_URL = Cause("the service's URL has an old password", _old_url, remedies.new_url)
ADMINS = Cause("the stack file has a wrong password for the admin", _admins_password, _set_admins_password)
SERVICE_AS_ADMIN = Cause("a service logs in as the admin", _admins_service, remedies.new_url)
