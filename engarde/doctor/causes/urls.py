"""Causes that lie in the text of a URL, and poolers that do not take it."""

from engarde.declaration.declared import UrlFormat
from engarde.declaration.model import Service
from engarde.doctor import remedies
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, confirmed, ruled_out, unknown
from engarde.output.findings import Remedy

OPTIONS = "options"

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
"""A word of a traceback -> what leaves no prepared statement on the server."""


def _options(facts: Facts) -> list[Service]:
    services = [login for login in facts.suspects if isinstance(login, Service)]
    return [service for service in services if service.url_format == OPTIONS]


def _guides_url(facts: Facts) -> Answer:
    return confirmed("the URL is the setup guide's: a second bare `=` in it is none that libpq reads (%3D would be)")


def _declared_options(facts: Facts) -> Answer:
    for service in _options(facts):
        because = f"{service.name} asks for `options`, which poolers refuse and Alembic reads its %"
        return confirmed(because, remedies.of_login(service, "urlFormat", "plain"))
    return ruled_out("no service that it may be about has urlFormat: options")


def _old_options(facts: Facts) -> Answer:
    if _options(facts):
        return ruled_out("the stack file asks for this form")
    return confirmed("no URL of the stack has it, so the service has an older one, the setup guide's perhaps")


def _pooler(facts: Facts) -> Answer:
    return unknown(
        "a pooler does not say so of itself: the driver prepares by name, and the next server session has no such one"
    )


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
    if _options(facts):
        return ruled_out("that is how `options` is spelled")
    return confirmed(
        "a password or an option with a % in a URL that the stack did not make, and configparser reads % itself"
    )


def _doubled(facts: Facts) -> Remedy:
    return remedies.code('alembic/env.py: config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))')


def _mysql(facts: Facts) -> Answer:
    return confirmed("MySQL is the scheduler's, which has a connection of its own; this project is PostgreSQL's alone")


def _schedulers(facts: Facts) -> Remedy:
    return remedies.code("keep the scheduler's own MySQL variables, and give it no DATABASE_URL of this stack")


def _no_driver(facts: Facts) -> Answer:
    return confirmed(
        f"the URL leads to {facts.named.object}, which the service does not have: a URL without a driver leads"
        " SQLAlchemy to psycopg from 2.1 on, and to psycopg2 before"
    )


def _another_driver(facts: Facts) -> Remedy:
    missing = facts.named.object or ""
    return _form(facts, f"install {missing} for the service", _OTHER.get(missing))


def _not_async(facts: Facts) -> Answer:
    return confirmed(f"the engine is asynchronous, and the URL leads it to {facts.named.object}, which is not")


def _async_driver(facts: Facts) -> Remedy:
    return _form(facts, "install asyncpg for the service", "sqlalchemy+asyncpg")


def _form(facts: Facts, install: str, form: UrlFormat | None) -> Remedy:
    services = [login for login in facts.suspects if isinstance(login, Service)]
    if form is None:
        return remedies.code(install)
    if len(services) == 1 and services[0].url_format != form:
        return remedies.of_login(services[0], "urlFormat", form)
    return remedies.code(f"{install}, or state `urlFormat: {form}` for it")


_OTHER: dict[str, UrlFormat] = {"psycopg": "sqlalchemy+psycopg2", "psycopg2": "sqlalchemy+psycopg"}
"""Which driver a service has that lacks this one, as SQLAlchemy's default has changed from one to the other."""

GUIDES = Cause("the URL is the setup guide's", _guides_url, remedies.new_url)
DECLARED_OPTIONS = Cause("the stack file asks for a URL with options", _declared_options, remedies.new_url)
OLD_OPTIONS = Cause("the service has an older URL, with options", _old_options, remedies.new_url)
POOLER = Cause("a pooler hands the server's session to the next client", _pooler, _driver)
PERCENT = Cause("the URL holds a %", _percent, _doubled)
MYSQL = Cause("it is about MySQL", _mysql, _schedulers)
NO_DRIVER = Cause("the service lacks the driver that its URL leads to", _no_driver, _another_driver)
NOT_ASYNC = Cause("the URL leads an asynchronous engine to a synchronous driver", _not_async, _async_driver)
