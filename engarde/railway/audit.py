"""Finds variables on Railway with credentials that they should not hold: the superuser's, another role's, or old ones.

An old login of the stack no longer works: a service that reads it cannot connect.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from urllib.parse import parse_qsl, unquote, urlsplit

from engarde.declaration.databases import databases
from engarde.declaration.model import Analytics, Service, Stack
from engarde.declaration.names import ANALYTICS, ROLE_SUFFIX
from engarde.declaration.resource_names import login_name
from engarde.output.findings import Finding, Remedy
from engarde.pulumi_cli.logins import login_of_admin
from engarde.pulumi_cli.state import outputs
from engarde.railway.api import Api
from engarde.railway.planning import Plan, desired_variables, recipients, section
from engarde.railway.project import Place, Project, Values, declared_instance, find, values

SHARED = "(shared)"
_SUPERUSERS = r"DATABASE_(PUBLIC_|PRIVATE_|UNPOOLED_)?URL|(PG|POSTGRES_)(PASSWORD|USER)"
_TO_SUPERUSER = re.compile(rf"\$\{{\{{\s*(?P<service>[^.}}]+)\.(?P<name>{_SUPERUSERS})\s*\}}\}}")
_REFERENCE = re.compile(r"\$\{\{\s*(?:(?P<service>[^{}]+)\.)?(?P<name>[^{}.\s]+)\s*\}\}")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"']+", re.IGNORECASE)
_WORD = re.compile(r"\b(user|password|host|port)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|([^\s'\"]+))")
_USER = re.compile(r"USER(NAME)?$", re.IGNORECASE)
_PASSWORDS, _HOSTS = ("PASSWORD", "PASS", "PASSWD", "PWD"), ("HOST", "HOSTNAME", "SERVER", "ADDRESS")
_PORT = "5432"


def audit(stack: Stack, api: Api) -> list[Finding]:
    """Every such variable of the services in the stack file, and every such shared one; never a value.

    :raises ConfigError: Railway does not have something that the stack file names, or has it twice.
    """
    declared = section(stack)
    project = find(api, declared)
    own: dict[str | None, set[str]] = {}
    for login in recipients(stack).values():
        for service in login.on_railway:
            own.setdefault(declared_instance(project, declared, service).service_id, set()).add(login.role)
    written_by_push = {
        Place(declared_instance(project, declared, desired.service).service_id, desired.variable)
        for desired in desired_variables(stack)
    }
    current = outputs(stack.name).passwords
    known = {**current, **_admins(stack)}
    findings, held = [], dict[str | None, Values]()
    names = {service_id: project.instances[service_id].name for service_id in own if service_id}
    for service_id, name in [*sorted(names.items(), key=itemgetter(1)), (None, SHARED)]:
        held[service_id] = values(api, project, service_id)
        for variable, written in sorted(held[service_id].written.items()):
            holds = dict(_holds(written, held[service_id].rendered.get(variable, ""), known, stack.server.user))
            for role, how in sorted(holds.items()):
                if role not in own.get(service_id, ()):
                    whose = "the superuser" if role == stack.server.user else role
                    remedy = (
                        f"remove {variable} from {name} on Railway, or declare it, and run `bin/engarde railway push`"
                    )
                    expected, actual = "credentials of its own role, or none", f"credentials of {whose}: {how}"
                    findings.append(_finding(name, variable, expected, actual, remedy))
    named = {finding.subject for finding in findings}
    for old in old_logins(stack, api, project, current, held, written_by_push):
        expected = f"the current login of {old.role}, or none"
        finding = _finding(old.service, old.variable, expected, "an old login, which no longer works", old.remedy)
        findings += [finding] if finding.subject not in named else []
    return findings


def _admins(stack: Stack) -> dict[str, str]:
    """Role -> password of the servers' admins; if two have the same name, the database is added to it."""
    found: dict[str, str] = {}
    for database in databases(stack):
        if database.server_wide:
            admin = login_of_admin(database)
            found[admin.role if admin.role not in found else f"{admin.role} of {database.label}"] = admin.password
    return found


def _holds(written: str, rendered: str, known: Mapping[str, str], admin: str) -> Iterator[tuple[str, str]]:
    """Whose credentials a variable holds, and how."""
    if match := _TO_SUPERUSER.search(written):
        yield admin, f"by reference to {match['service']}.{match['name']}"
        return

    def way(name: str) -> str:
        return "literally" if name in written else "by reference"

    for role, password in known.items():
        if password and password in rendered:
            yield role, f"its password, {way(password)}"
    for url in _URL.findall(rendered):
        try:
            spelled = urlsplit(url).username or ""
        except ValueError:
            continue
        if unquote(spelled) in known:
            yield unquote(spelled), f"a URL, {way(f'//{spelled}:')}"


def _finding(service: str, variable: str, expected: str, actual: str, remedy: str) -> Finding:
    return Finding("railway variable", f"{service}: {variable}", expected, actual, Remedy("code", remedy))


@dataclass(frozen=True, slots=True)
class OldLogin:
    """Variables of one service, usually one, that hold a role's name and a password that is not the role's."""

    service: str
    """its name on Railway, or `SHARED`"""
    variable: str
    """several are separated by commas"""
    role: str
    remedy: str

    def __str__(self) -> str:
        return (
            f"{self.service}: {self.variable} holds an old login of {self.role}, which no longer works: {self.remedy}"
        )


def left_behind(stack: Stack, api: Api, found: Plan, only: Collection[str] = ()) -> list[OldLogin]:
    """The variables that would hold an old login of these logins' roles, or of any role, after a push."""
    roles = {login.role for login in stack.logins if not only or login_name(login) in only}
    known = {role: password for role, password in outputs(stack.name).passwords.items() if role in roles}
    return old_logins(stack, api, found.project, known, found.held, found.written)


def old_logins(
    stack: Stack,
    api: Api,
    project: Project,
    known: Mapping[str, str],
    held: dict[str | None, Values],
    written: Collection[Place],
) -> list[OldLogin]:
    """Every such variable of the environment's services, and every such shared one; never a value.

    :param known: role -> its current password, for the roles to look for.
    :param held: service's id -> its variables, as far as they are known; more are read into it.
    :param written: the variables that a push writes.
    """
    for service_id in (*project.instances, None):
        if service_id not in held:
            held[service_id] = values(api, project, service_id)
    names = {service.name.casefold(): service.service_id for service in project.instances.values()}
    former = {role: login for login in stack.logins if login.role in known for role in _former(stack, login)}
    # A role that was renamed has no right password under its old name.
    right: dict[str, str | None] = {**dict.fromkeys(former), **known}
    seen = _Seen(held, names, frozenset(written), right, frozenset(_addresses(stack, held, names)))
    owners = former | {login.role: login for login in stack.logins}
    found = []
    for place, role in seen.old():
        service = project.instances[place.service].name if place.service else SHARED
        found.append(OldLogin(service, place.variable, role, _remedy(owners[role], service, place.variable)))
    return sorted(found, key=attrgetter("service", "variable", "role"))


def _former(stack: Stack, login: Service | Analytics) -> set[str]:
    """The names that its role may have had before, by the role or the key in `formerly`."""
    if login.formerly is None:
        return set()
    names = {login.formerly, f"{login.formerly}{ROLE_SUFFIX}"}
    return names - {role.role for role in stack.logins} - {role.name for role in stack.outside_roles}


def _addresses(stack: Stack, every: Mapping[str | None, Values], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Host and port of the stack's servers, as declared and with references resolved."""

    def resolved(reference: re.Match[str]) -> str:
        service = names.get((reference["service"] or "").casefold())
        return every[service].rendered.get(reference["name"], "") if service else ""

    for database in databases(stack):
        for address in (database.server, database.service_address, database.server_stack.unpooled_address):
            if address:
                for host in (address.host, _REFERENCE.sub(resolved, address.host)):
                    yield host.casefold(), str(address.port)


@dataclass(frozen=True, slots=True)
class _Login:
    """A login that a text holds."""

    role: str
    password: str
    host: str | None
    port: str = _PORT


@dataclass(frozen=True, slots=True)
class _Seen:
    every: Mapping[str | None, Values]
    names: Mapping[str, str]
    """in lower case, and the service's id"""
    written: frozenset[Place]
    known: Mapping[str, str | None]
    here: frozenset[tuple[str, str]]

    def old(self) -> Iterator[tuple[Place, str]]:
        for service, there in self.every.items():
            for name, text in there.rendered.items():
                place = Place(service, name)
                if place not in self.written:
                    texts = [there.written.get(name, ""), "" if self._follows(place, frozenset()) else text]
                    old = {login.role for text in texts for login in _logins(text) if self._is_old(login)}
                    yield from ((place, role) for role in old)
            yield from self._pairs(service, there.rendered)

    def _is_old(self, login: _Login) -> bool:
        if login.role not in self.known or not login.password or login.password == self.known[login.role]:
            return False
        return login.host is None or (login.host.casefold(), login.port) in self.here

    def _pairs(self, service: str | None, there: Mapping[str, str]) -> Iterator[tuple[Place, str]]:
        """Variables that hold one part of a login each, such as DB_USER, DB_PASSWORD and DB_HOST."""
        spelled = {name.upper(): name for name in there}
        for name, role in there.items():
            if role not in self.known or not (ending := _USER.search(name)):
                continue
            start = name[: ending.start()].upper()
            password, host, port = (
                next((spelled[start + end] for end in ends if start + end in spelled), None)
                for ends in (_PASSWORDS, _HOSTS, ["PORT"])
            )
            if not password or self._follows(Place(service, password), frozenset()):
                continue
            login = _Login(role, there[password], there[host] if host else None, there[port] if port else _PORT)
            if self._is_old(login):
                yield Place(service, f"{name}, {password}"), role

    def _follows(self, place: Place, above: frozenset[Place]) -> bool:
        """Whether it refers to a variable that a push writes, so that a push corrects it, too."""
        there = self.every.get(place.service)
        text = there.written.get(place.variable, "") if there else ""
        for reference in _REFERENCE.finditer(text):
            named = reference["service"]
            owner = self.names.get(named.strip().casefold()) if named else place.service
            other = Place(owner, reference["name"])
            if other in self.written or (other not in above and self._follows(other, above | {place})):
                return True
        return False


def _logins(text: str) -> Iterator[_Login]:
    for url in _URL.findall(text):
        try:
            parts = urlsplit(url)
            asked = dict(parse_qsl(parts.query))
        except ValueError:
            continue
        who, _, where = parts.netloc.rpartition("@")
        name, _, password = who.partition(":")
        role = unquote(name) or asked.get("user", "")
        secret = unquote(password) or asked.get("password", "")
        for address in where.split(","):
            host, _, port = address.rpartition(":") if re.search(r":[^\]:}]*$", address) else (address, "", "")
            yield _Login(role, secret, host.strip("[]"), port or _PORT)
    if "://" not in text:
        words = {found[1]: found[2] or found[3] or "" for found in _WORD.finditer(text)}
        if "user" in words and "password" in words:
            yield _Login(words["user"], words["password"], words.get("host"), words.get("port", _PORT))


def _remedy(login: Service | Analytics, service: str, variable: str) -> str:
    name = login_name(login)
    section = f"engarde:{ANALYTICS}" if isinstance(login, Analytics) else f"engarde:services, {name}"
    if "," in variable:
        return f"remove {variable} there, and use a variable that `push` writes instead (`railway` under {section})"
    if service == SHARED:
        return f"remove it there, and declare it for each service that reads it, in `railway` under {section}"
    if service.casefold() in {name.casefold() for name in login.on_railway}:
        return f"declare {variable} in `railway.variables` under {section}, so that `push` writes it, too"
    return f"declare {service} and {variable} in `railway` under {section}, or remove the variable there"
