"""Causes in a URL: its address, its form and its driver; servers that do not answer, and poolers."""

from collections.abc import Sequence

from engarde.declaration.declared import ASYNCHRONOUS_DRIVERS, UrlFormat
from engarde.declaration.model import Analytics, Service
from engarde.doctor import remedies
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, confirmed, ruled_out, unknown
from engarde.errors import Why
from engarde.output.findings import Remedy

PRIVATE = ".railway.internal"
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
OPTIONS: UrlFormat = "options"

DRIVERS = {
    "asyncpg": "connect_args with statement_cache_size 0, prepared_statement_cache_size 0, and names that never repeat",
    "psycopg2": "nothing: psycopg2 prepares no statements; look for another driver",
    "psycopg": "prepare_threshold=None",
    "postgresql.jdbc": "prepareThreshold=0 in the URL",
    "jdbc": "prepareThreshold=0 in the URL",
    "pgx": "default_query_exec_mode=exec in the URL (QueryExecModeExec)",
    "postgres.js": "prepare: false",
    "prisma": "pgbouncer=true in the URL",
}
"""A word in a traceback -> the setting that leaves no prepared statements on the server."""

_OTHER: dict[str, UrlFormat] = {"psycopg": "sqlalchemy+psycopg2", "psycopg2": "sqlalchemy+psycopg"}
"""Driver -> the urlFormat for a service without it: SQLAlchemy's default has changed from one to the other."""

PACKAGES = {"psycopg": "psycopg[binary]", "psycopg2": "psycopg2-binary"}
"""Driver -> its name for pip, if that is another one."""


def _reference(facts: Facts) -> Answer:
    if "${{" in facts.error.text or "$%7B%7B" in facts.error.text:
        return confirmed("the URL still has ${{…}}, which only Railway's variables resolve")
    return ruled_out("the text has no ${{…}}")


def _private(facts: Facts) -> Answer:
    host = facts.named.host or ""
    if host.endswith(PRIVATE) or (host == facts.stack.service_address.host != facts.stack.server.host):
        return confirmed(f"{host} can be reached inside Railway only")
    return ruled_out(f"{host or 'the host'} is not Railway's private host")


def _down(facts: Facts) -> Answer:
    server = facts.stack.server
    if (refusal := facts.refusal) is None:
        return ruled_out(f"the admin can log in at {server.host}:{server.port}")
    if refusal.why in (Why.NOT_FOUND, Why.NOT_ANSWERED):
        return confirmed(refusal.reason)
    return ruled_out(f"{server.host}:{server.port} answers: {refusal.reason}")


def _default(facts: Facts) -> Answer:
    if facts.named.host in LOCAL and facts.stack.service_address.host not in LOCAL:
        return confirmed(f"drivers use {facts.named.host} without a URL, but the services' server is not there")
    return ruled_out("the host is not the default of a driver without a URL")


def _another(facts: Facts) -> Answer:
    host, port = facts.named.host, facts.named.port
    if host is None:
        return ruled_out("the text names no host")
    ports = {address.host: address.port for address in (facts.stack.server, facts.stack.service_address)}
    if host not in ports:
        return confirmed(f"{host} is not an address of the stack file ({', '.join(sorted(ports))})")
    if port and port.isdigit() and int(port) not in (ports[host], facts.stack.server.port):
        return confirmed(f"the port of {host} is {ports[host]}, not {port}")
    return ruled_out(f"{host} is in the stack file")


def _unresolved(facts: Facts) -> Answer:
    if (refusal := facts.refusal) is None:
        return ruled_out(f"{facts.stack.server.host} can be resolved here, and answers")
    return confirmed(refusal.reason) if refusal.why is Why.NOT_FOUND else unknown(refusal.reason)


def _start(facts: Facts) -> Remedy:
    server = facts.stack.server
    if facts.stack.name == "local":
        return remedies.command("make up")
    where = f"engarde:server ({server.host}:{server.port})"
    return remedies.code(f"start PostgreSQL and its TCP proxy on Railway, and compare the proxy's address with {where}")


def _with_form(facts: Facts, form: UrlFormat) -> list[Service]:
    return [service for service in facts.services if service.url_format == form]


def _declared_options(facts: Facts) -> Answer:
    for service in _with_form(facts, OPTIONS):
        because = f"{service.name} has urlFormat: options; poolers refuse it, and Alembic interprets its %"
        return confirmed(because, remedies.of_login(service, "urlFormat", "plain"))
    return ruled_out("no service in question has urlFormat: options")


def _old_options(facts: Facts) -> Answer:
    if _with_form(facts, OPTIONS):
        return ruled_out("the stack file asks for this form")
    if _with_form(facts, "prisma"):
        return unknown("Prisma may have sent the parameter")
    return confirmed("no URL of the stack has options, so the service has an old URL, perhaps the setup guide's")


def _driver(facts: Facts) -> Remedy:
    said = facts.error.text.lower()
    for word, setting in DRIVERS.items():
        if word in said:
            return remedies.code(f"{word} behind a pooler: {setting}")
    forms = {login.url_format.removeprefix("sqlalchemy+") for login in facts.suspects}
    settings = [
        f"{word}: {text}" for word, text in DRIVERS.items() if len(forms) > 1 or word in forms or forms == {"plain"}
    ]
    return remedies.code("turn off prepared statements:", *settings)


def _percent(facts: Facts) -> Answer:
    if _with_form(facts, OPTIONS):
        return ruled_out("the % is part of `options`")
    return confirmed(
        "a URL that the stack did not make has a % in its password or options, and configparser interprets it"
    )


def _named(login: Service | Analytics) -> str | None:
    """The SQLAlchemy driver in the login's URL; None if the URL names none."""
    return login.url_format.partition("sqlalchemy+")[2] or None


def _state(logins: Sequence[Service | Analytics], form: UrlFormat) -> Remedy:
    services = [login for login in logins if isinstance(login, Service)] or logins
    if len(services) == 1:
        return remedies.of_login(services[0], "urlFormat", form)
    return remedies.edit("engarde:services", remedies.SERVICE, "urlFormat", value=form)


def _by_default(facts: Facts) -> Answer:
    missing = facts.named.object or ""
    if missing not in _OTHER:
        return ruled_out(f"SQLAlchemy loads {missing} only if it is named")
    unnamed = [login for login in facts.suspects if login.url_format in ("plain", OPTIONS)]
    if not unnamed:
        return ruled_out("every URL in question names its driver")
    because = (
        f"if the URL names no driver, SQLAlchemy 2.1 and later loads psycopg, and older versions load psycopg2;"
        f" if the service has neither, install {missing} instead"
    )
    return confirmed(because, _state(unnamed, _OTHER[missing]))


def _not_installed(facts: Facts) -> Answer:
    missing = facts.named.object
    if missing in map(_named, facts.suspects):
        return confirmed(f"the stack file asks for a URL with {missing}")
    if missing in _OTHER:
        return ruled_out(f"no URL in question names {missing}")
    return confirmed(f"no URL of the stack names {missing}, so the service's code names it")


def _install(facts: Facts) -> Remedy:
    missing = facts.named.object or "the driver"
    return remedies.code(f"install {PACKAGES.get(missing, missing)} for the service")


def _other_named(facts: Facts) -> Answer:
    named = {*map(_named, facts.suspects)}
    if not named or None in named or facts.named.object in named:
        return ruled_out("the stack's URL allows this driver")
    return confirmed(f"the stack's URL names {' or '.join(sorted(filter(None, named)))}, not {facts.named.object}")


def _synchronous(facts: Facts) -> Answer:
    found = [login for login in facts.suspects if _named(login) not in ASYNCHRONOUS_DRIVERS]
    if not found:
        return ruled_out("the stack's URL names an asynchronous driver")
    because = f"the URL leads to {facts.named.object}, which is synchronous; psycopg works, too, if the service has it"
    return confirmed(because, _state(found, "sqlalchemy+asyncpg"))


def _in_synchronous_engine(facts: Facts) -> Answer:
    found = [login for login in facts.suspects if _named(login) == "asyncpg"]
    if not found:
        return ruled_out("no URL in question names asyncpg")
    return confirmed(
        "the URL names asyncpg, which is asynchronous only; psycopg works in both kinds of engine",
        _state(found, "sqlalchemy+psycopg"),
    )


def _asks_for_schema(facts: Facts) -> Answer:
    if _with_form(facts, "prisma"):
        return unknown("the URL names the schema, and Prisma's own engine sends it to the pooler when it connects")
    return ruled_out("no service in question has urlFormat: prisma")


REFERENCE = Cause(
    "a reference to a Railway variable was not resolved",
    _reference,
    remedies.code(
        "set the URL as a variable of the service on Railway: a .env file or a shell does not resolve ${{…}}"
    ),
)
PRIVATE_HOST = Cause(
    "the private host is used outside Railway",
    _private,
    lambda facts: remedies.url(facts, remedies.only(facts.suspects), "operator"),
)
NO_URL = Cause("the service has no DATABASE_URL and uses a default", _default, remedies.new_url)
OTHER = Cause("the URL names another server", _another, remedies.new_url)
DOWN = Cause("the server does not answer", _down, _start)
UNRESOLVED = Cause(
    "the stack file names a host that cannot be resolved",
    _unresolved,
    remedies.edit("engarde:server", "host", value="HOST.proxy.rlwy.net"),
)
GUIDES = Cause(
    "the URL has the setup guide's form",
    confirmed("libpq cannot read the second `=` of the setup guide's URL, which has to be %3D"),
    remedies.new_url,
)
DECLARED_OPTIONS = Cause("the stack file asks for a URL with options", _declared_options, remedies.new_url)
OLD_OPTIONS = Cause("the service has an old URL with options", _old_options, remedies.new_url)
POOLER = Cause(
    "a pooler hands the server's session to the next client",
    unknown("a pooler cannot be seen from here: it gives a client's next statement to another session of the server"),
    _driver,
)
PERCENT = Cause(
    "the URL contains a %",
    _percent,
    remedies.code('alembic/env.py: config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))'),
)
MYSQL = Cause(
    "the error is about MySQL",
    confirmed("only the scheduler uses MySQL, with its own connection; this project manages PostgreSQL only"),
    remedies.code("keep the scheduler's own MySQL variables, and give it no DATABASE_URL of this stack"),
)
PRISMA_AND_POOLER = Cause(
    "Prisma sends its schema to the pooler, which refuses it",
    _asks_for_schema,
    remedies.code(
        'datasourceUrl: process.env.DATABASE_URL + "&pgbouncer=true"',
        "migrations must not use the pooler (unpooledAddress)",
    ),
)
DEFAULT_DRIVER = Cause(
    "the URL names no driver, and the service lacks SQLAlchemy's default", _by_default, remedies.new_url
)
NO_DRIVER = Cause("the service lacks the driver that its URL or its code names", _not_installed, _install)
OTHER_DRIVER = Cause("the service does not use the stack's URL, or changes it", _other_named, remedies.new_url)
NO_GREENLET = Cause(
    "the service lacks greenlet",
    confirmed("SQLAlchemy 2.1 and later installs greenlet only with its extra `asyncio`"),
    remedies.code("install SQLAlchemy[asyncio] for the service"),
)
SYNCHRONOUS = Cause("the URL leads an asynchronous engine to a synchronous driver", _synchronous, remedies.new_url)
IN_SYNCHRONOUS_ENGINE = Cause(
    "the URL leads a synchronous engine to an asynchronous driver", _in_synchronous_engine, remedies.new_url
)
LAZY = Cause(
    "an asynchronous session reads an attribute that was not loaded",
    unknown("only the service's code can tell"),
    remedies.code("load it in the query (selectinload), or await session.refresh(…, [attribute])"),
)
