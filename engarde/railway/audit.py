"""Which variables on Railway hold credentials that are not their service's own: the superuser's, or another role's."""

import re
from collections.abc import Iterator, Mapping
from operator import itemgetter
from urllib.parse import unquote, urlsplit

from engarde.declaration.databases import databases
from engarde.declaration.model import Stack
from engarde.output.findings import Finding, Remedy
from engarde.pulumi_cli.logins import login_of_admin
from engarde.pulumi_cli.state import outputs
from engarde.railway.api import Api
from engarde.railway.desired_variables import desired_variables, recipients, section
from engarde.railway.old_logins import SHARED, URL, old_logins
from engarde.railway.planning import instance
from engarde.railway.project import Place, Values, find, values

_SUPERUSERS = r"DATABASE_(PUBLIC_|PRIVATE_|UNPOOLED_)?URL|(PG|POSTGRES_)(PASSWORD|USER)"
_REFERENCE = re.compile(rf"\$\{{\{{\s*(?P<service>[^.}}]+)\.(?P<name>{_SUPERUSERS})\s*\}}\}}")


def audit(stack: Stack, api: Api) -> list[Finding]:
    """Every such variable of the services that the stack file names, and of those shared by all; values stay unsaid.

    :raises ConfigError: the stack file names what Railway does not have, or has twice.
    """
    declared = section(stack)
    project = find(api, declared)
    own: dict[str, set[str]] = {}
    names: dict[str, str] = {}
    for login in recipients(stack).values():
        for service in login.on_railway:
            found = instance(project, declared, service)
            own.setdefault(found.service_id, set()).add(login.role)
            names[found.service_id] = found.name
    written_by_push = {
        Place(instance(project, declared, desired.service).service_id, desired.variable)
        for desired in desired_variables(stack)
    }
    current = outputs(stack.name).passwords
    known = {**current, **_admins(stack)}
    findings, held = [], dict[str | None, Values]()
    for service_id, name in [*sorted(names.items(), key=itemgetter(1)), (None, SHARED)]:
        mine = own.get(service_id or "", set())
        held[service_id] = values(api, project, service_id)
        for variable, written in sorted(held[service_id].written.items()):
            holds = dict(_holds(written, held[service_id].rendered.get(variable, ""), known, stack.server.user))
            for role, how in sorted(holds.items()):
                if role not in mine:
                    whose = "the superuser" if role == stack.server.user else role
                    remedy = (
                        f"take {variable} out of {name} on Railway, or give it the service's own URL (railway push)"
                    )
                    expected, actual = "credentials of its own role, or none", f"those of {whose}: {how}"
                    findings.append(_finding(name, variable, expected, actual, remedy))
    named = {finding.subject for finding in findings}
    for old in old_logins(stack, api, project, current, held, written_by_push):
        expected = f"the login of {old.role} as it is now, or none"
        finding = _finding(old.service, old.variable, expected, "an older one, which is shut out", old.remedy)
        findings += [finding] if finding.subject not in named else []
    return findings


def _admins(stack: Stack) -> dict[str, str]:
    """Role -> password of the servers' admins; those of one name are told apart by their databases."""
    found: dict[str, str] = {}
    for database in databases(stack):
        if database.server_wide:
            admin = login_of_admin(database)
            found[admin.role if admin.role not in found else f"{admin.role} of {database.label}"] = admin.password
    return found


def _holds(written: str, rendered: str, known: Mapping[str, str], admin: str) -> Iterator[tuple[str, str]]:
    """Whose credentials are in a variable, and in which way."""
    if match := _REFERENCE.search(written):
        yield admin, f"by reference to {match['service']}.{match['name']}"
        return

    def way(name: str) -> str:
        return "literally" if name in written else "by reference"

    for role, password in known.items():
        if password and password in rendered:
            yield role, f"its password, {way(password)}"
    for url in URL.findall(rendered):
        try:
            spelled = urlsplit(url).username or ""
        except ValueError:
            continue
        if unquote(spelled) in known:
            yield unquote(spelled), f"a URL, {way(f'//{spelled}:')}"


def _finding(service: str, variable: str, expected: str, actual: str, remedy: str) -> Finding:
    return Finding("railway variable", f"{service}: {variable}", expected, actual, Remedy("code", remedy))
