"""Rules on the source of the URL, on passwords in the code, and on the engine's driver."""

import ast
import re
from collections.abc import Iterator

from engarde.alembic import template
from engarde.alembic.context import Context, Sink
from engarde.alembic.default_driver import NEW, NEW_FROM, OLD, default_drivers
from engarde.alembic.project import URL
from engarde.alembic.source import SCHEME, UNKNOWN, Value, handed, name_of
from engarde.declaration.databases import database_of
from engarde.declaration.declared import ASYNCHRONOUS_DRIVERS, UrlFormat
from engarde.declaration.stack_file import lines
from engarde.output.findings import Finding, Remedy
from engarde.util.masking import masked

DIRECT = "DIRECT_DATABASE_URL"
EITHER = f"a URL for {OLD} before SQLAlchemy {NEW_FROM}, for {NEW} from {NEW_FROM} on; no project file pins the version"

_ADDRESS = re.compile(r"(?:postgres(?:ql)?|mysql|mariadb|mssql|oracle|cockroachdb)(?:\+\w+)?://[^\s{]\S*")
_PASSWORD = re.compile(r"://[^:/@\s]*:[^@\s]+@")
_MAKERS = ("create_engine", "create_async_engine", "create", "connect", "set")
_RUNNERS = ("run", "run_until_complete", "create_task", "ensure_future")


def written_out(context: Context) -> Iterator[Finding]:
    """An address or a password in env.py or alembic.ini."""
    source = context.env.source
    for node in source.nodes:
        match node:
            case ast.Constant(value=str() as text) if _ADDRESS.match(text):
                parent = source.parents[node]
                # An f-string may take a URL's parts from the environment; a password in its text counts.
                if _PASSWORD.search(text) if isinstance(parent, ast.JoinedStr) else not isinstance(parent, ast.Expr):
                    actual = f"{masked(text)} in the code"
                    yield context.finding("url", node.lineno, _expected(context), actual, _from(context))
            case ast.Call(func=func, keywords=keywords) if name_of(func) in _MAKERS:
                for keyword in keywords:
                    if keyword.arg == "password" and isinstance(keyword.value, ast.Constant) and keyword.value.value:
                        line = keyword.value.lineno
                        yield context.finding("url", line, _expected(context), "a password in the code", _from(context))
    settings = context.project.settings
    written = settings.in_ini.get(URL, "")
    if _ADDRESS.match(written) and settings.ini:
        actual = f"{URL} = {masked(written)}"
        code = f"# {URL} is set by env.py"
        yield context.finding("url", settings.line(URL), _expected(context), actual, code, file=settings.ini)


def from_environment(context: Context) -> Iterator[Finding]:
    """A URL from the environment, not from alembic.ini; a computed one is not judged."""
    sinks = [sink for sink in context.env.sinks if sink.of != "offline"]
    if not sinks and (configures := context.env.of("online")):
        yield context.unjudged(configures[0].line, _expected(context), "env.py does not show where its URL comes from")
    for sink in sinks:
        if sink.value.computed:
            yield context.unjudged(sink.line, _expected(context), "the URL is computed")
    if all(sink.value.from_settings for sink in context.env.sinks):
        for sink in sinks:
            if sink.of == "engine":
                actual = f"{URL} of {context.project.ini.name}"
                yield context.finding("url", sink.line, _expected(context), actual, _from(context))


def doubled(context: Context) -> Iterator[Finding]:
    """Every % doubled for configparser: a single one in a password ends in an error that prints the whole URL."""
    for sink in context.env.sinks:
        value = sink.value
        if value.constant is UNKNOWN:
            may_hold = not (value.from_settings or value.computed)
        else:
            may_hold = "%" in (value.text or "").replace("%%", "")
        if sink.of == "option" and ("%", "%%") not in value.replaced and may_hold:
            code = f'config.set_main_option("{URL}", url.replace("%", "%%"))'
            yield context.finding("percent", sink.line, "every % of the URL doubled", "not doubled", code)


def variable(context: Context) -> Iterator[Finding]:
    """A variable that the stack or `bin/engarde migrate` sets."""
    migrations = context.service.migrations
    read = {name for sink in context.env.sinks for name in sink.value.variables}
    delivered = {*context.variables, *({migrations.variable} if migrations else ())}
    for sink in context.env.sinks:
        if len(sink.value.variables) != 1:
            continue
        [actual] = sink.value.variables
        if actual not in delivered:
            because = f"{actual}, which neither the stack file nor `migrate` sets"
            yield context.finding("variable", sink.line, _expected(context), because, _from(context))
        elif migrations and migrations.variable not in read:
            expected = f"{migrations.variable}, in which `bin/engarde migrate` passes the URL"
            content = {context.service.name: {"migrations": {"path": migrations.path, "variable": actual}}}
            yield context.healed("variable", sink.line, expected, actual, Remedy("edit", lines("services", content)))


def direct(context: Context) -> Iterator[Finding]:
    """A URL that bypasses the pooler, if there is one."""
    assert context.stack
    if database_of(context.stack, context.service).server_stack.unpooled_address is None:
        return
    expected = "the server's own address: a pooler keeps no locks or settings of a session"
    past = {name for name, variable in context.variables.items() if variable.unpooled}
    for sink in context.env.sinks:
        read = sink.value.variables & context.variables.keys()
        if read and not read & past:
            actual = f"{', '.join(sorted(read))}, whose URL leads to the pooler"
            yield context.healed("pooler", sink.line, expected, actual, _past(context, past))


def _past(context: Context, variables: set[str]) -> Remedy:
    """A variable whose URL bypasses the pooler, or the lines of the stack file that declare one."""
    if variables:
        return Remedy("code", f'os.environ["{min(variables)}"]')
    if context.stack and context.stack.railway:
        kept = {
            name: variable.model_dump(by_alias=True, exclude_defaults=True)
            for name, variable in context.variables.items()
        }
        content: object = {"railway": {"variables": {**kept, DIRECT: {"unpooled": True}}}}
    else:
        # Nothing is delivered: only `bin/engarde migrate` sets the variable, always to the server's own address.
        migrations = context.service.migrations
        path = migrations.path if migrations else str(context.project.folder)
        content = {"migrations": {"path": path, "variable": DIRECT}}
    return Remedy("edit", lines("services", {context.service.name: content}))


def _expected(context: Context) -> str:
    return f"a URL from the environment, in {template.variable(context.service)}"


def _from(context: Context) -> str:
    return f'config.set_main_option("{URL}", os.environ["{template.variable(context.service)}"].replace("%", "%%"))'


# ---- Engines.


def has_asyncpg(context: Context) -> bool:
    """Whether the engine's driver is asyncpg as far as is known, or will be once the driver fits."""
    known = {name for sink in _of_engines(context) for name in _drivers(context, sink)}
    return context.env.asynchronous and known != {"psycopg"}


def _fits(context: Context, name: str) -> bool:
    return name in ASYNCHRONOUS_DRIVERS if context.env.asynchronous else name != "asyncpg"


def driver_fits(context: Context) -> Iterator[Finding]:
    """An asynchronous engine with an asynchronous driver, and the other way round."""
    for sink in _of_engines(context):
        for name, actual in sorted(_drivers(context, sink).items()):
            if _fits(context, name):
                continue
            if context.env.asynchronous:
                code = 'make_url(url).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)'
                yield context.finding("driver", sink.line, "a URL for asyncpg or psycopg", actual, code)
            else:
                code = 'url.replace("+asyncpg", "", 1)'
                yield context.finding("driver", sink.line, "a URL for a synchronous driver", actual, code)


def _of_engines(context: Context) -> list[Sink]:
    """The places where engines get their URLs; an option may be set only for the other mode."""
    env = context.env
    if run := [sink for sink in env.sinks if sink.driver is not None]:
        return run
    configured = any(
        (name_of(engine.func) or "").endswith("engine_from_config")
        or any(env.source.value(node).from_settings for node in handed(engine))
        for engine in env.engines
    )
    return [sink for sink in env.sinks if sink.of in (("option", "engine") if configured else ("engine",))]


def _drivers(context: Context, sink: Sink) -> dict[str, str]:
    """The drivers for the URLs of its variables, after its replacements, each as a phrase."""
    if sink.driver is not None or sink.value.computed:
        return {sink.driver: f"a URL for {sink.driver}"} if sink.driver else {}
    found: dict[str, str] = {}
    for form in _forms(context, sink.value):
        scheme = form.replace("sqlalchemy", "postgresql") if form.startswith("sqlalchemy") else "postgresql"
        url = f"{'jdbc:' if form == 'jdbc' else ''}{scheme}://"
        for old, new in sink.value.replaced:
            url = f"{new}://" if old == SCHEME else url.replace(old, new)
        dialect, _, name = url.partition("://")[0].partition("+")
        if name or dialect not in ("postgresql", "postgres"):
            found[name or dialect] = f"a URL for {name or dialect}"
            continue
        defaults = default_drivers(context.project.folder)
        found |= {driver: EITHER if len(defaults) > 1 else f"a URL for {driver}" for driver in defaults}
    return found


def _forms(context: Context, value: Value) -> set[UrlFormat]:
    """The forms of the URLs in its variables; any form if it replaces the whole scheme."""
    migrations, delivered = context.service.migrations, context.variables
    stated = [delivered[name].url_format for name in value.variables & delivered.keys()]
    if migrations and migrations.variable in value.variables:
        stated.append(migrations.url_format)
    found = {form or context.service.url_format for form in stated}
    return found or ({"plain"} if SCHEME in dict(value.replaced) else set())


def asynchronous(context: Context) -> Iterator[Finding]:
    """An asynchronous engine, awaited, with Alembic's synchronous part in `run_sync`."""
    source = context.env.source
    if not context.env.asynchronous or not context.env.engines:
        return
    if not any(source.calls("run_sync")):
        actual = "Alembic gets the asynchronous connection, which it cannot await"
        code = "await connection.run_sync(do_run_migrations)"
        yield context.finding("async", context.env.engines[0].lineno, "await connection.run_sync(...)", actual, code)
    for node in source.nodes:
        if isinstance(node, ast.With) and any(_opens(item.context_expr) for item in node.items):
            code = "async with connectable.connect() as connection:"
            yield context.finding("async", node.lineno, "async with", "`with` on an asynchronous engine", code)
    coroutines = [function for function in source.functions.values() if isinstance(function, ast.AsyncFunctionDef)]
    if coroutines and not any(source.calls(*_RUNNERS)):
        code = f"asyncio.run({coroutines[-1].name}())"
        yield context.finding("async", coroutines[-1].lineno, "asyncio.run(...)", "nothing runs the coroutine", code)


def _opens(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="connect" | "begin")):
            return name not in ("connection", "conn", "context")
    return False
