"""What an env.py does: how it configures Alembic, where its URL comes from, and what it executes before."""

import ast
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Literal

from engarde.alembic.context import Configure, Early, Environment, Mode, SetPath, Sink, Way
from engarde.alembic.project import URL
from engarde.alembic.source import SCHEME, Function, Source, Value, dotted, name_of, texts_in

SYNC_ENGINES = ("engine_from_config", "create_engine")
ASYNC_ENGINES = ("async_engine_from_config", "create_async_engine", "AsyncEngine")
OPTIONS = ("set_main_option", "set_section_option")
"""What changes what alembic.ini says, as its text."""
EXECUTES = ("execute", "exec_driver_sql", "scalar", "scalars")

_BEGINS = ("begin_transaction", "run_sync", "run_migrations")
_ENDS = ("commit", "rollback")
_SET = re.compile(r"search_path\s*(?:=|\bto\b)\s*(.*)", re.I | re.S)
_CALLED = re.compile(r"set_config\(\s*'search_path'\s*,\s*'((?:[^']|'')*)'", re.I)
_PART = re.compile(r'\s*(?:"((?:[^"]|"")*)"|\'((?:[^\']|\'\')*)\'|([^\s,;"\']+))\s*(,|$|;)')


def environment(source: Source, ours: Collection[str] = ()) -> Environment:
    """Reads an env.py.

    :param ours: its functions that are as `init` writes them.
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
        options, opaque = given(source, call)
        # What hands on whatever it is given says nothing by itself.
        offline = {"url", "dialect_name"} & options.keys() or (function and "offline" in function.name)
        mode: Mode = "offline" if offline and "connection" not in options else "online"
        yield Configure(mode, call.lineno, options, opaque, function)


# ---- Options.


def given(source: Source, call: ast.Call) -> tuple[dict[str, ast.expr], bool]:
    """The options of a call, those of a written-out map among them; and whether it has others."""
    further = [entries(source, keyword.value) for keyword in call.keywords if keyword.arg is None]
    found = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
    for more in further:
        found |= more or {}
    return found, None in further


def entries(source: Source, node: ast.expr) -> dict[str, ast.expr] | None:
    """The entries of a map that is written out; None where only running the file would tell."""
    match node:
        case ast.Dict(keys=keys, values=values):
            pairs = [*zip(keys, values, strict=True)]
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=words):
            pairs = [(ast.Constant(word.arg) if word.arg else None, word.value) for word in words]
        case ast.Name(id=name) if (assigned := _assigned(source, name)) is not None:
            return entries(source, assigned)
        case _:
            return None
    found: dict[str, ast.expr] = {}
    for key, value in pairs:
        own = {key.value: value} if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
        if (further := entries(source, value) if key is None else own) is None:
            return None
        found |= further
    return found


def _assigned(source: Source, name: str) -> ast.expr | None:
    with suppress(LookupError):
        return source.assigned(name, source.tree)
    return None


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
    """What an engine is made from, or `context.configure` is told without a connection."""
    name = name_of(call.func)
    if name not in ("configure", *SYNC_ENGINES, *ASYNC_ENGINES):
        return
    for keyword in call.keywords:
        if keyword.arg in ("url", "sqlalchemy_url"):
            of: Literal["offline", "engine"] = "offline" if name == "configure" else "engine"
            yield Sink(keyword.value.lineno, source.value(keyword.value), of)
    for node in call.args[:1]:
        if name in ("create_engine", "create_async_engine"):
            is_ours = isinstance(node, ast.Call) and name_of(node.func) in ours
            yield Sink(node.lineno, _of_ours(source) if is_ours else source.value(node), "engine")
        elif (value := source.value(node)).from_settings:
            yield Sink(call.lineno, value, "engine")


def _of_ours(source: Source) -> Value:
    """What the function gives that `init` writes."""
    variable, driver = (source.value(ast.Name(name, ast.Load())).text or "" for name in ("VARIABLE", "DRIVER"))
    return Value(variables=frozenset({variable}), replaced=((SCHEME, driver),))


# ---- search_path.


def _paths(source: Source) -> Iterator[SetPath]:
    writers = [call for call in source.calls("execute") if dotted(call.func) in ("context.execute", "op.execute")]
    for node in source.nodes:
        if not isinstance(node, ast.expr) or not _is_whole(source, node):
            continue
        function = source.function(node)
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "search_path":
                    text = source.value(value).likely
                    listed = spelled(text) if isinstance(text, str) else None
                    yield SetPath(value.lineno, listed, "server_settings", function)
        elif isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp) and _mentions(node):
            text = source.value(node).likely
            way: Way = "options" if next(iter(texts_in(node)), "").lstrip().startswith("-") else "statement"
            listed = stated(text, way) if isinstance(text, str) else None
            if listed != ():
                written = any(call in source.above(node) for call in writers)
                yield SetPath(node.lineno, listed, way, function, written)


def spelled(text: str) -> tuple[str, ...]:
    """The schemas of a search_path as PostgreSQL reads it; none where it is no such list."""
    found: list[str] = []
    place = 0
    while match := _PART.match(text, place):
        quoted, literal, bare, end = match.groups()
        # What stands in single quotes is one name, commas and all.
        found.append(
            quoted.replace('""', '"') if quoted is not None else literal if literal is not None else bare.lower()
        )
        place = match.end()
        if end != ",":
            break
    return tuple(found)


def stated(text: str, way: Way) -> tuple[str, ...]:
    """The schemas of the search_path that a statement or an option sets; none where it sets none."""
    if called := _CALLED.search(text):
        return spelled(called[1].replace("''", "'"))
    match = _SET.search(text)
    if match is None:
        return ()
    if way == "options":
        # libpq takes words apart at spaces, unless a backslash guards them.
        return spelled(re.sub(r"\\(.)", r"\1", re.split(r"(?<!\\)\s", match[1])[0]))
    # So SQLAlchemy's `text` is told that a colon begins no parameter.
    return spelled(match[1].replace("\\:", ":"))


def _mentions(node: ast.expr) -> bool:
    whole = "".join(texts_in(node)).lower()
    return "search_path" in whole and len(whole) > len("search_path") + 1


def _is_whole(source: Source, node: ast.expr) -> bool:
    """Neither a piece of a larger text nor a comment in the form of one."""
    parent = source.parents.get(node)
    return not isinstance(parent, ast.JoinedStr | ast.FormattedValue | ast.BinOp | ast.Expr | ast.Compare)


# ---- Transactions.


def _early(source: Source, ours: Collection[str]) -> Iterator[Early]:
    """The statements that leave a transaction open for the migrations to join."""
    handing = [call for call in source.calls("configure", "run_sync") if _connection(call)]
    flows = [_calls(source, source.function(call)) for call in handing]
    names = [[name_of(call.func) for call in flow] for flow in flows]
    begins = [call for flow in flows for call in flow if name_of(call.func) == "begin"]
    begun = any(_receiver(call) not in ("connection", "conn", "context") for call in begins)
    together = {name for flow in names for name in flow}
    if "begin_transaction" not in together or (begun and "connect" not in together):
        return
    constants = {node.value for node in source.nodes if isinstance(node, ast.Constant)}
    if "AUTOCOMMIT" in constants or any(map(_commits_at_the_end, names)):
        return
    for call, flow in zip(handing, flows, strict=True):
        yield from _left_open(source, flow[: flow.index(call)], _connection(call), ours)


def _connection(call: ast.Call) -> str | None:
    """The name of the connection that a call hands to Alembic."""
    if name_of(call.func) == "run_sync":
        return _receiver(call)
    if dotted(call.func) not in ("configure", "context.configure"):
        return None
    nodes = [keyword.value for keyword in call.keywords if keyword.arg == "connection"]
    return next((name_of(node) for node in (*nodes, *call.args[:1])), None)


def _commits_at_the_end(names: list[str | None]) -> bool:
    """Whether a flow of calls commits once the migrations have run, whatever they have joined."""
    first = next((place for place, name in enumerate(names) if name in _BEGINS), len(names))
    return "commit" in names[first:]


def _left_open(source: Source, flow: list[ast.Call], connection: str | None, ours: Collection[str]) -> list[Early]:
    """What these calls have executed on a connection and not committed."""
    found: list[Early] = []
    for call in flow:
        name, texts = name_of(call.func), texts_in(call)
        if name in _ENDS:
            found = []
        elif name in EXECUTES and connection == _receiver(call):
            own = any(map(_is_own_transaction, source.above(call)))
            if not own and not any(text.lstrip().upper().startswith("PRAGMA") for text in texts):
                sure = not any(isinstance(parent, ast.If | ast.IfExp) for parent in source.above(call))
                found.append(Early(call.lineno, texts, sure))
        elif name not in ours and connection in _given(call):
            # What a function does with it, only running it tells.
            found.append(Early(call.lineno, (), sure=False))
    return found


def _calls(source: Source, function: Function | None) -> list[ast.Call]:
    """The calls of a function, or of what is outside of all functions, in the order of the text."""
    return [node for node in source.nodes if isinstance(node, ast.Call) and source.function(node) is function]


def _given(call: ast.Call) -> set[str]:
    """The names that a call hands over."""
    parts = (*call.args, *(keyword.value for keyword in call.keywords))
    return {part.id for part in parts if isinstance(part, ast.Name)}


def _receiver(call: ast.Call) -> str | None:
    return name_of(call.func.value) if isinstance(call.func, ast.Attribute) else None


def _is_own_transaction(node: ast.AST) -> bool:
    return isinstance(node, ast.With | ast.AsyncWith) and any(
        isinstance(item.context_expr, ast.Call) and name_of(item.context_expr.func) == "begin" for item in node.items
    )
