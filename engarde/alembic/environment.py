"""What an env.py does: how it configures Alembic, where its URL comes from, and what it executes first."""

import ast
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import dropwhile
from typing import Literal

from engarde.alembic.context import Configure, Early, Environment, Mode, SetPath, Sink, Way
from engarde.alembic.project import URL
from engarde.alembic.source import SCHEME, Source, Value, dotted, handed, name_of, texts_in

SYNC_ENGINES = ("engine_from_config", "create_engine")
ASYNC_ENGINES = ("async_engine_from_config", "create_async_engine", "AsyncEngine")
OPTIONS = ("set_main_option", "set_section_option")
"""Methods that replace an option of alembic.ini."""
EXECUTES = ("execute", "exec_driver_sql", "scalar", "scalars")

_BEGINS = ("begin_transaction", "run_sync", "run_migrations")
_ENDS = ("commit", "rollback")
_SET = re.compile(r"search_path\s*(?:=|\bto\b)\s*(.*)", re.I | re.S)
_CALLED = re.compile(r"set_config\(\s*'search_path'\s*,\s*'((?:[^']|'')*)'", re.I)
_PART = re.compile(r'\s*(?:"((?:[^"]|"")*)"|\'((?:[^\']|\'\')*)\'|([^\s,;"\']+))\s*(,|$|;)')


def environment(source: Source, ours: Collection[str] = ()) -> Environment:
    """Reads an env.py.

    :param ours: its functions that do what those of `init` do.
    """
    configures = tuple(_configures(source))
    engines = tuple(source.calls(*SYNC_ENGINES, *ASYNC_ENGINES))
    return Environment(
        source,
        frozenset(ours),
        configures,
        tuple(_sinks(source, ours)),
        engines,
        tuple(_paths(source)),
        tuple(_early(source, ours)),
        asynchronous=any(name_of(engine.func) in ASYNC_ENGINES for engine in engines),
    )


def _configures(source: Source) -> Iterator[Configure]:
    for call in source.calls("configure"):
        own = "configure" in source.functions or not isinstance(call.func, ast.Name)
        if own and not dotted(call.func).endswith("context.configure"):
            continue
        function = source.function(call)
        # Includes the entries of a mapping that is written out.
        known = [{word.arg: word.value} if word.arg else _entries(source, word.value) for word in call.keywords]
        options: dict[str, ast.expr] = {}
        for entries in known:
            options |= entries or {}
        # A call that only passes on its arguments shows no mode; its function's name may.
        offline = {"url", "dialect_name"} & options.keys() or (function and "offline" in function.name)
        mode: Mode = "offline" if offline and "connection" not in options else "online"
        yield Configure(mode, call.lineno, options, None in known, function)


def _entries(source: Source, node: ast.expr) -> dict[str, ast.expr] | None:
    """The entries of a mapping that is written out; None if only running the file would show them."""
    match node:
        case ast.Dict(keys=keys, values=values):
            pairs = [*zip(keys, values, strict=True)]
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=words):
            pairs = [(ast.Constant(word.arg) if word.arg else None, word.value) for word in words]
        case ast.Name(id=name):
            with suppress(LookupError):
                assigned = source.assigned(name, source.tree)
                return _entries(source, assigned) if assigned else None
            return None
        case _:
            return None
    found: dict[str, ast.expr] = {}
    for key, value in pairs:
        own = {key.value: value} if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
        if (further := _entries(source, value) if key is None else own) is None:
            return None
        found |= further
    return found


# ---- URLs.


def _sinks(source: Source, ours: Collection[str]) -> Iterator[Sink]:
    for node in source.nodes:
        match node:
            case ast.Call(func=func, args=[*_, ast.Constant(value=text), value]) if name_of(func) in OPTIONS:
                if text == URL:
                    yield Sink(value.lineno, source.value(value), "option")
            case ast.Call():
                yield from _of_call(source, node, ours)
            case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=key))], value=item) if key == URL:
                yield Sink(item.lineno, source.value(item), "engine")
            case ast.Dict(keys=keys, values=values):
                for word, item in zip(keys, values, strict=True):
                    if isinstance(word, ast.Constant) and word.value in (URL, "url"):
                        yield Sink(item.lineno, source.value(item), "engine")


def _of_call(source: Source, call: ast.Call, ours: Collection[str]) -> Iterator[Sink]:
    """The URL that a call makes an engine from, or passes to `context.configure` without a connection."""
    name = name_of(call.func)
    if name not in ("configure", *SYNC_ENGINES, *ASYNC_ENGINES):
        return
    for keyword in call.keywords:
        if keyword.arg in ("url", "sqlalchemy_url"):
            of: Literal["offline", "engine"] = "offline" if name == "configure" else "engine"
            yield Sink(keyword.value.lineno, source.value(keyword.value), of)
    for node in call.args[:1]:
        if name in ("create_engine", "create_async_engine"):
            value = source.value(node)
            if isinstance(node, ast.Call) and name_of(node.func) in ours:
                # The function that `init` writes returns this.
                names = [source.value(ast.Name(name, ast.Load())).text or "" for name in ("VARIABLE", "DRIVER")]
                value = Value(variables=frozenset(names[:1]), replaced=((SCHEME, names[1]),))
            yield Sink(node.lineno, value, "engine")
        elif (value := source.value(node)).from_settings:
            yield Sink(call.lineno, value, "engine")


# ---- search_path.


def _paths(source: Source) -> Iterator[SetPath]:
    writers = [call for call in source.calls("execute") if dotted(call.func) in ("context.execute", "op.execute")]
    pieces = (ast.JoinedStr, ast.FormattedValue, ast.BinOp, ast.Expr, ast.Compare)
    for node in source.nodes:
        # Skips pieces of a larger string, and strings that nobody uses.
        if not isinstance(node, ast.expr) or isinstance(source.parents.get(node), pieces):
            continue
        function = source.function(node)
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "search_path":
                    text = source.value(value).likely
                    listed = spelled(text) if isinstance(text, str) else None
                    yield SetPath(value.lineno, listed, "server_settings", function)
        elif isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp):
            whole, text = "".join(texts_in(node)), source.value(node).likely
            way: Way = "options" if whole.lstrip().startswith("-") else "statement"
            listed = stated(text, way) if isinstance(text, str) else None
            # The bare word is a name, not a statement.
            if listed != () and "search_path" in whole.lower() and len(whole) > len("search_path") + 1:
                written = any(call in source.above(node) for call in writers)
                yield SetPath(node.lineno, listed, way, function, written)


def spelled(text: str) -> tuple[str, ...]:
    """The schemas of a search_path as PostgreSQL reads it; empty if the text is not a list of names."""
    found: list[str] = []
    place = 0
    while match := _PART.match(text, place):
        quoted, literal, bare, end = match.groups()
        # In single quotes, all of it is one name, with its commas.
        name = quoted.replace('""', '"') if quoted is not None else literal
        found.append(bare.lower() if name is None else name)
        place = match.end()
        if end != ",":
            break
    return tuple(found)


def stated(text: str, way: Way) -> tuple[str, ...]:
    """The schemas of the search_path that a statement or an option sets; empty if it sets none."""
    if called := _CALLED.search(text):
        return spelled(called[1].replace("''", "'"))
    match = _SET.search(text)
    if match is None:
        return ()
    if way == "options":
        # libpq splits words at spaces that have no backslash before them.
        return spelled(re.sub(r"\\(.)", r"\1", re.split(r"(?<!\\)\s", match[1])[0]))
    # In SQLAlchemy's `text`, a colon without a backslash begins a parameter.
    return spelled(match[1].replace("\\:", ":"))


# ---- Transactions.


def _early(source: Source, ours: Collection[str]) -> Iterator[Early]:
    """The statements that leave a transaction open, which the migrations join."""
    handing = {call: name for call in source.calls("configure", "run_sync") if (name := _connection(call))}
    calls = [(node, source.function(node)) for node in source.nodes if isinstance(node, ast.Call)]
    flows = [[node for node, function in calls if function is source.function(call)] for call in handing]
    names = [[name_of(call.func) for call in flow] for flow in flows]
    begins = [call for flow in flows for call in flow if name_of(call.func) == "begin"]
    begun = any(_receiver(call) not in ("connection", "conn", "context") for call in begins)
    together = {name for flow in names for name in flow}
    constants = {node.value for node in source.nodes if isinstance(node, ast.Constant)}
    joined = "begin_transaction" in together and ("connect" in together or not begun)
    # A commit after the migrations also commits the transaction that they joined.
    commits = any("commit" in dropwhile(lambda name: name not in _BEGINS, flow) for flow in names)
    if joined and "AUTOCOMMIT" not in constants and not commits:
        for (call, connection), flow in zip(handing.items(), flows, strict=True):
            yield from _left_open(source, flow[: flow.index(call)], connection, ours)


def _connection(call: ast.Call) -> str | None:
    """The name of the connection that a call passes to Alembic."""
    if name_of(call.func) == "run_sync":
        return _receiver(call)
    if dotted(call.func) not in ("configure", "context.configure"):
        return None
    nodes = [keyword.value for keyword in call.keywords if keyword.arg == "connection"]
    return next((name_of(node) for node in (*nodes, *call.args[:1])), None)


def _left_open(source: Source, flow: list[ast.Call], connection: str, ours: Collection[str]) -> list[Early]:
    """What these calls execute on a connection and do not commit."""
    found: list[Early] = []
    for call in flow:
        name, texts = name_of(call.func), texts_in(call)
        if name in _ENDS:
            found = []
        elif name in EXECUTES and connection == _receiver(call):
            above = [*source.above(call)]
            items = [
                item.context_expr for node in above if isinstance(node, ast.With | ast.AsyncWith) for item in node.items
            ]
            own = any(isinstance(item, ast.Call) and name_of(item.func) == "begin" for item in items)
            if not own and not any(text.lstrip().upper().startswith("PRAGMA") for text in texts):
                sure = not any(isinstance(parent, ast.If | ast.IfExp) for parent in above)
                found.append(Early(call.lineno, texts, sure))
        elif name not in ours and any(isinstance(part, ast.Name) and part.id == connection for part in handed(call)):
            # Only running a function shows what it does with the connection.
            found.append(Early(call.lineno, (), sure=False))
    return found


def _receiver(call: ast.Call) -> str | None:
    return name_of(call.func.value) if isinstance(call.func, ast.Attribute) else None
