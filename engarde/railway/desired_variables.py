"""Which variable of which Railway service holds which URL, as stack file and state have it."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from engarde.declaration.databases import database_of, find
from engarde.declaration.delivery import UNSTATED, Railway, Variable
from engarde.declaration.model import Analytics, DatabaseStack, Service, Stack
from engarde.errors import ConfigError, Refused, Unreachable
from engarde.pulumi_cli.logins import login_to
from engarde.pulumi_cli.resource_names import login_name
from engarde.pulumi_cli.state import Outputs, outputs


@dataclass(frozen=True, slots=True)
class DesiredVariable:
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


def recipients(stack: Stack, only: Collection[str] = ()) -> dict[str, Service | Analytics]:
    """The logins whose URLs go to Railway, all or the named ones.

    :raises ConfigError: a name that is not in the stack, or one whose URLs go nowhere.
    """
    everybody = {login_name(login): login for login in stack.logins}
    for name in only:
        if name not in everybody:
            raise ConfigError(f"{name} is not in stack {stack.name}; it has {', '.join(everybody)}")
        if not everybody[name].on_railway:
            raise ConfigError(f"{name} goes to no Railway service; Pulumi.{stack.name}.yaml says so, or names none")
    return {name: login for name, login in everybody.items() if login.on_railway and (not only or name in only)}


def desired_variables(stack: Stack, only: Collection[str] = ()) -> tuple[DesiredVariable, ...]:
    """Every variable of these logins, with the URL as the last run made it.

    :raises Refused: the stack file says something else than what was brought up.
    :raises Unreachable: a login was not brought up yet.
    """
    made = outputs(stack.name)
    return tuple(
        DesiredVariable(name, service, variable, _url(stack, login, spec, made))
        for name, login in recipients(stack, only).items()
        for service in login.on_railway
        for variable, spec in (login.railway or UNSTATED).variables.items()
    )


def _url(stack: Stack, login: Service | Analytics, spec: Variable, made: Outputs) -> str:
    name = login_name(login)
    password = made.passwords.get(login.role)
    up = f"run `bin/pulumi up --stack {stack.name}`"
    if password is None:
        raise Unreachable(f"{login.role} was not brought up yet; {up}")
    database = _database(stack, login, spec)
    own = login_to(database, login, password, "service")
    exported = _exported(database, login, made)
    if own.url != exported:
        # Address, database or form was edited since: nobody has tried what would be delivered.
        raise Refused(f"the stack file says something else of {name}'s URL than the last run; {up} first")
    address = (database.server_stack.unpooled_address if spec.unpooled else None) or database.service_address
    return replace(own, address=address, form=spec.url_format or login.url_format).url


def _database(stack: Stack, login: Service | Analytics, spec: Variable) -> DatabaseStack:
    return find(stack, spec.database) if spec.database else database_of(stack, login)


def _exported(database: DatabaseStack, login: Service | Analytics, made: Outputs) -> str | None:
    if isinstance(login, Service):
        return made.database_urls.get(login.name)
    return made.analytics_urls.get(database.label) if database.label else made.analytics_url
