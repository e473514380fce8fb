"""Which variables on Railway hold an older login of the stack's: whoever reads one is shut out."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from engarde.declaration.databases import databases
from engarde.declaration.model import Analytics, Service, Stack
from engarde.declaration.names import ANALYTICS, ROLE_SUFFIX
from engarde.pulumi_cli.resource_names import login_name
from engarde.railway.api import Api
from engarde.railway.project import Place, Project, Values, values

SHARED = "(shared)"
_REFERENCE = re.compile(r"\$\{\{\s*(?:(?P<service>[^{}]+)\.)?(?P<name>[^{}.\s]+)\s*\}\}")
URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"']+", re.IGNORECASE)
_WORD = re.compile(r"\b(user|password|host|port)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|([^\s'\"]+))")
_USER = re.compile(r"USER(NAME)?$", re.IGNORECASE)
_PASSWORDS, _HOSTS = ("PASSWORD", "PASS", "PASSWD", "PWD"), ("HOST", "HOSTNAME", "SERVER", "ADDRESS")
PORT = "5432"


@dataclass(frozen=True, slots=True)
class OldLogin:
    """Variables of one service, as a rule one, that hold a role's name and a password that is not the role's."""

    service: str
    """its name on Railway, or `SHARED`"""
    variable: str
    """several with a comma between"""
    role: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.service}: {self.variable} holds an older login of {self.role}, which is shut out: {self.remedy}"


@dataclass(frozen=True, slots=True)
class _Login:
    """What a text says of who logs in where."""

    role: str
    password: str
    host: str | None
    port: str = PORT


def old_logins(
    stack: Stack,
    api: Api,
    project: Project,
    known: Mapping[str, str],
    held: dict[str | None, Values],
    written: Collection[Place],
) -> list[OldLogin]:
    """Every such variable of the environment's services and of those shared by all; values stay unsaid.

    :param known: role -> its password now, of the roles that are asked about.
    :param held: the variables that are known already, by the service's id; what Railway is asked for is put there.
    :param written: the variables that a push writes.
    """
    for service_id in (*project.instances, None):
        if service_id not in held:
            held[service_id] = values(api, project, service_id)
    names = {service.name.casefold(): service.service_id for service in project.instances.values()}
    former = {role: login for login in stack.logins if login.role in known for role in _former(stack, login)}
    # Of a role that has another name by now no password is right.
    right: dict[str, str | None] = {**dict.fromkeys(former), **known}
    seen = _Seen(held, names, frozenset(written), right, frozenset(_addresses(stack, held, names)))
    owners = former | {login.role: login for login in stack.logins}
    found = []
    for place, role in seen.old():
        service = project.instances[place.service].name if place.service else SHARED
        found.append(OldLogin(service, place.variable, role, _remedy(owners[role], service, place.variable)))
    return sorted(found, key=lambda login: (login.service, login.variable, login.role))


def _former(stack: Stack, login: Service | Analytics) -> set[str]:
    """What its role may have been called before, by the role or the key that the stack file names."""
    if login.formerly is None:
        return set()
    names = {login.formerly, f"{login.formerly}{ROLE_SUFFIX}"}
    return names - {*(each.role for each in stack.logins), *(role.name for role in stack.outside_roles)}


def _addresses(stack: Stack, every: Mapping[str | None, Values], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Host and port of the stack's servers, as written and with references resolved."""

    def resolved(reference: re.Match[str]) -> str:
        service = names.get((reference["service"] or "").casefold())
        return every[service].rendered.get(reference["name"], "") if service else ""

    for database in databases(stack):
        for address in (database.server, database.service_address, database.server_stack.unpooled_address):
            if address:
                for host in (address.host, _REFERENCE.sub(resolved, address.host)):
                    yield host.casefold(), str(address.port)


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
                literally = set(self._old_in(there.written.get(name, "")))
                resolved = set() if self._follows(place, frozenset()) else set(self._old_in(text))
                for role in (literally | resolved) if place not in self.written else ():
                    yield place, role
            yield from self._pairs(service, there.rendered)

    def _old_in(self, text: str) -> Iterator[str]:
        return (login.role for login in _logins(text) if self._is_old(login))

    def _is_old(self, login: _Login) -> bool:
        if login.role not in self.known or not login.password or login.password == self.known[login.role]:
            return False
        return login.host is None or (login.host.casefold(), login.port) in self.here

    def _pairs(self, service: str | None, there: Mapping[str, str]) -> Iterator[tuple[Place, str]]:
        """Of variables that hold a part of a login each, such as DB_USER, DB_PASSWORD and DB_HOST."""
        spelled = {name.upper(): name for name in there}
        for name, role in there.items():
            if role not in self.known or not (ending := _USER.search(name)):
                continue
            start = name[: ending.start()].upper()

            def first(ends: Collection[str], start: str = start) -> str | None:
                return next((spelled[start + end] for end in ends if start + end in spelled), None)

            password, host, port = first(_PASSWORDS), first(_HOSTS), first(["PORT"])
            if not password or self._follows(Place(service, password), frozenset()):
                continue
            login = _Login(role, there[password], there[host] if host else None, there[port] if port else PORT)
            if self._is_old(login):
                yield Place(service, f"{name}, {password}"), role

    def _follows(self, place: Place, above: frozenset[Place]) -> bool:
        """Whether it refers to what a push writes, and is right once that is."""
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
    for url in URL.findall(text):
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
            yield _Login(role, secret, host.strip("[]"), port or PORT)
    if "://" not in text:
        words = {found[1]: found[2] or found[3] or "" for found in _WORD.finditer(text)}
        if "user" in words and "password" in words:
            yield _Login(words["user"], words["password"], words.get("host"), words.get("port", PORT))


def _remedy(login: Service | Analytics, service: str, variable: str) -> str:
    name = login_name(login)
    section = f"engarde:{ANALYTICS}" if isinstance(login, Analytics) else f"engarde:services, {name}"
    if "," in variable:
        return f"take {variable} out there, and let it read a variable that `push` writes (`railway` under {section})"
    if service == SHARED:
        return f"take it out there, and declare it for each service that reads it, in `railway` under {section}"
    if service.casefold() in {name.casefold() for name in login.on_railway}:
        return f"declare {variable} in `railway.variables` under {section}, so that `push` writes it, too"
    return f"declare {service} and {variable} in `railway` under {section}, or take the variable out there"
