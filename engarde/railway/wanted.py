"""Which variable of which Railway service holds which URL, as stack file and state have it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from engarde.access import Access
from engarde.delivery import DATABASE_URL, Delivery, Railway, Variable
from engarde.errors import ConfigError, Refused, Unreachable
from engarde.model import Analytics, Service, Stack
from engarde.names import ANALYTICS
from engarde.stack import Outputs, outputs


@dataclass(frozen=True, slots=True)
class Wanted:
    """One variable of one Railway service."""

    login: str
    """whose URL: a service of the stack, or `analytics`"""
    service: str
    """the Railway service's name, as the stack file spells it"""
    variable: str
    url: str = field(repr=False)


def section(stack: Stack) -> Railway:
    """Where the services run.

    :raises ConfigError: the stack file does not say so.
    """
    if stack.railway is None:
        raise ConfigError(
            f"Pulumi.{stack.name}.yaml has no engarde:railway, which names the project and the environment"
            " on Railway (docs/railway.md)"
        )
    return stack.railway


def delivery(login: Service | Analytics) -> Delivery:
    """Where the login's URLs go: a service's to its namesake, unless the stack file says otherwise."""
    declared = login.railway or Delivery()
    if declared.service is not None:
        return declared
    return declared.model_copy(update={"service": (login.name,) if isinstance(login, Service) else ()})


def recipients(stack: Stack, only: Collection[str] = ()) -> dict[str, Service | Analytics]:
    """The logins whose URLs go to Railway, all or the named ones.

    :raises ConfigError: a name that is not in the stack, or one whose URLs go nowhere.
    """
    everybody: dict[str, Service | Analytics] = {each.name: each for each in stack.services}
    if stack.analytics:
        everybody[ANALYTICS] = stack.analytics
    for name in only:
        if name not in everybody:
            raise ConfigError(f"{name} is not in stack {stack.name}; it has {', '.join(everybody)}")
        if not delivery(everybody[name]).service:
            raise ConfigError(f"{name} goes to no Railway service; Pulumi.{stack.name}.yaml says so, or names none")
    return {name: each for name, each in everybody.items() if delivery(each).service and (not only or name in only)}


def wanted(stack: Stack, only: Collection[str] = ()) -> tuple[Wanted, ...]:
    """Every variable of these logins, with the URL as the last run made it.

    :raises Refused: the stack file says something else than what was brought up.
    :raises Unreachable: a login was not brought up yet.
    """
    made = outputs(stack.name)
    return tuple(
        Wanted(name, service, variable, _url(stack, login, spec, made))
        for name, login in recipients(stack, only).items()
        for service in delivery(login).service or ()
        for variable, spec in delivery(login).variables.items()
    )


def _url(stack: Stack, login: Service | Analytics, spec: Variable, made: Outputs) -> str:
    name = login.name if isinstance(login, Service) else ANALYTICS
    password = made.passwords.get(login.role)
    up = f"run `bin/pulumi up --stack {stack.name}`"
    if password is None:
        raise Unreachable(f"{login.role} was not brought up yet; {up}")
    schema = login.schema_ if isinstance(login, Service) else None
    own = Access(stack.service_address, stack.server.database, login.role, password, login.url_format, schema).url
    exported = made.analytics_url if isinstance(login, Analytics) else made.database_urls.get(name)
    if own != exported:
        # Address, database or form was edited since: nobody has tried what would be delivered.
        raise Refused(f"the stack file says something else of {name}'s {DATABASE_URL} than the last run; {up} first")
    address = (stack.unpooled_address if spec.unpooled else None) or stack.service_address
    form = spec.url_format or login.url_format
    return Access(address, stack.server.database, login.role, password, form, schema).url
