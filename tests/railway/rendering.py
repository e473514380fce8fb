"""Variables as they are written, and as a reader or a process gets them."""

from __future__ import annotations

import re

from tests.railway.world import Environment, Service

REFERENCE = re.compile(r"\$\{\{\s*([^{}]+?)\s*\}\}")
SHARED = "shared"


def references(text: str) -> list[str]:
    """What stands between the braces, in order."""
    return REFERENCE.findall(text)


def written(environment: Environment, service: Service | None, *, sealed: bool) -> dict[str, str]:
    """What was written for a service or, for none, for the whole environment; `sealed` ones only when asked for."""
    return {each.name: each.value for each in environment.of(service) if sealed or not each.sealed}


def rendered(environment: Environment, service: Service | None, *, sealed: bool) -> dict[str, str]:
    """The same with every reference resolved; one that leads nowhere, in a circle, or to what is hidden is empty."""
    return {
        name: _resolved(value, environment, service, sealed, frozenset({(_key(service), name)}))
        for name, value in written(environment, service, sealed=sealed).items()
    }


def _resolved(
    text: str, environment: Environment, service: Service | None, sealed: bool, above: frozenset[tuple[str | None, str]]
) -> str:
    def value(match: re.Match[str]) -> str:
        owner_name, _, name = match[1].rpartition(".")
        owner: Service | None = service
        if owner_name == SHARED:
            owner = None
        elif owner_name:
            owner = _named(environment, owner_name)
            if owner is None:
                return ""
        if (_key(owner), name) in above:
            return ""
        found = (written(environment, owner, sealed=sealed)).get(name)
        if found is None:
            return _provided(environment, owner).get(name, "")
        return _resolved(found, environment, owner, sealed, above | {(_key(owner), name)})

    return REFERENCE.sub(value, text)


def _key(service: Service | None) -> str | None:
    return service.id if service else None


def _named(environment: Environment, name: str) -> Service | None:
    services = [instance.service for instance in environment.instances]
    return next((service for service in services if service.name.casefold() == name.casefold()), None)


def _provided(environment: Environment, service: Service | None) -> dict[str, str]:
    """What can be referred to without having been written."""
    if service is None:
        return {}
    return {
        "RAILWAY_PRIVATE_DOMAIN": f"{service.name.lower()}.railway.internal",
        "RAILWAY_SERVICE_NAME": service.name,
        "RAILWAY_ENVIRONMENT_NAME": environment.name,
        "RAILWAY_PROJECT_NAME": environment.project.name,
    }
