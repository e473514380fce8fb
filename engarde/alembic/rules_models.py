"""Rules on the schemas that models name in the modules that env.py imports, on foreign keys, and on heads."""

import ast
from collections.abc import Iterator

from engarde.alembic.context import Context, Named, Table
from engarde.alembic.project import words_of
from engarde.alembic.source import UNKNOWN, Source, dotted, name_of
from engarde.declaration.stack_file import referring
from engarde.output.findings import Finding, Remedy
from engarde.util.quoting import word

MOST = 2000
"""How many modules of a project are read, so that the operator does not wait long if the folder is wrong."""

Target = tuple[str, str, tuple[str, ...]]
"""schema, table and the columns that are known"""


def models(env: Source) -> tuple[Named, ...]:
    """All places that name a schema in the project's modules that env.py reaches by imports.

    An assignment in env.py itself does not count: it does not change tables that exist already.
    """
    sources = list(reached(env))
    keys = any(_has_keys(source.tree) for source in sources)
    return tuple(named for source in sources for named in _named(source, keys, source is env))


def _has_keys(tree: ast.AST) -> bool:
    """Whether a foreign key is written in it, also in SQLModel's own way."""
    return any(
        (isinstance(node, ast.Call) and name_of(node.func) in ("ForeignKey", "ForeignKeyConstraint"))
        or (isinstance(node, ast.keyword) and node.arg == "foreign_key")
        for node in ast.walk(tree)
    )


def reached(env: Source) -> Iterator[Source]:
    """An env.py, what it imports, and what that imports, within the project."""
    waiting, seen = [env], {env.file}
    while waiting and len(seen) < MOST:
        source = waiting.pop(0)
        yield source
        for module, name in source.imports.values():
            parts = module.split(".") if module else []
            names = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
            for imported in (*names, *([f"{module}.{name}"] if name else [])):
                file = env.modules.file(imported)
                if file and file not in seen and (found := env.modules.source(file)):
                    seen.add(file)
                    waiting.append(found)


def _named(source: Source, keys: bool, is_env: bool) -> Iterator[Named]:
    def named(node: ast.expr, value: ast.expr, of_metadata: bool, keys: bool) -> Named:
        return Named(source.file, node.lineno, source.value(value).likely, of_metadata, keys)

    for node in source.nodes:
        match node:
            case ast.Call(func=func, keywords=keywords) if name_of(func) in ("MetaData", "Table"):
                of_metadata = name_of(func) == "MetaData"
                has = keys if of_metadata else _has_keys(node)
                yield from (
                    named(word.value, word.value, of_metadata, has) for word in keywords if word.arg == "schema"
                )
            case ast.Assign(targets=[ast.Attribute(value=holder, attr="schema") as target], value=value):
                if dotted(holder).endswith("metadata") and not is_env:
                    yield named(target, value, True, keys)
            case (
                ast.Assign(targets=[ast.Name(id="__table_args__")], value=value)
                | ast.AnnAssign(target=ast.Name(id="__table_args__"), value=ast.expr() as value)
            ):
                last = value.elts[-1] if isinstance(value, ast.Tuple) and value.elts else value
                pairs = zip(last.keys, last.values, strict=True) if isinstance(last, ast.Dict) else ()
                for key, schema in pairs:
                    if isinstance(key, ast.Constant) and key.value == "schema":
                        yield named(schema, schema, False, _has_keys(source.parents[node]))


def schemas(context: Context) -> Iterator[Finding]:
    """Models without a schema, or with one that autogenerate compares correctly or ignores."""
    if not context.autogenerates:
        return
    for named in context.models:
        if named.schema is UNKNOWN:
            yield context.unjudged(named.line, "no schema", "the schema is not written out", named.file)
        elif wrong := _wrong(context, named):
            code = "remove schema: the role's search_path puts the tables into the right schema"
            actual = f"{named.schema}: {wrong}"
            yield context.finding("metadata schema", named.line, "no schema", actual, code, file=named.file)


def _wrong(context: Context, named: Named) -> str | None:
    """What autogenerate would do wrong; if a filter is not judged, that has a finding of its own."""
    online = context.env.of("online")
    if named.schema == context.schema:
        if named.keys and any(context.own_is_seen(configure) for configure in online):
            # PostgreSQL prints a foreign key's target without its schema if that is in the search_path.
            return "autogenerate proposes to drop and create again every foreign key, each time"
    elif named.schema is not None:
        schema = str(named.schema)
        table = Table(schema, declared=True, exists=False, modelled=schema)
        declared = context.stack is None or schema in {read.schema_ for read in context.service.reads}
        if not declared or any(context.sees(configure, table) for configure in online):
            return "autogenerate proposes to create its tables there"
    return None


def heads(context: Context) -> Iterator[Finding]:
    """One head, for `alembic upgrade head`, or labelled branches with one head each."""
    found = [context.graph.revisions[id_] for id_ in context.graph.heads]
    if context.graph.target == "heads" or len(found) < 2:
        return
    words = " ".join(map(word, (*words_of(context.service), "merge", "heads", "-m", "one head")))
    remedy = Remedy("command", f"cd {word(str(context.project.folder))} && {words}")
    actual = ", ".join(revision.id for revision in found)
    yield context.healed("heads", found[-1].line, "one head", actual, remedy, found[-1].file)


def foreign_keys(context: Context) -> Iterator[Finding]:
    """Foreign keys to a table for which REFERENCES is not declared; only those that are written out count."""
    revisions = map(context.env.source.modules.source, (item.file for item in context.graph.revisions.values()))
    found = {
        (source.file, node.lineno, target)
        for source in (*reached(context.env.source), *filter(None, revisions))
        for node in source.nodes
        if isinstance(node, ast.Call) and (target := _target(node))
    }
    for file, line, (schema, table, columns) in sorted(found):
        read = next((read for read in context.service.reads if (read.schema_, read.table) == (schema, table)), None)
        allowed = read and read.references and (read.columns is None or set(columns) <= set(read.columns))
        if schema == context.schema or allowed:
            continue
        what = f"{schema}.{table}" + (f" ({', '.join(columns)})" if columns else "")
        if read and read.columns and set(columns) - set(read.columns):
            read = read.model_copy(update={"columns": tuple(dict.fromkeys((*read.columns, *columns)))})
        remedy = Remedy("edit", referring(context.service.name, schema, table, read))
        expected = "REFERENCES declared on the table that it points to"
        yield context.healed("foreign key", line, expected, what, remedy, file)


def _target(call: ast.Call) -> Target | None:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    match name_of(call.func):
        case "ForeignKey":
            return _spelled(named.get("column", call.args[0] if call.args else None))
        case "ForeignKeyConstraint":
            columns = [*filter(None, map(_spelled, _items(named.get("refcolumns", *call.args[1:2]))))]
            return (*columns[0][:2], tuple(name for column in columns for name in column[2])) if columns else None
        case "create_foreign_key":
            return _of_operation(call, named)
    # SQLModel's own spelling.
    return _spelled(named.get("foreign_key"))


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _items(node: ast.expr | None) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.List | ast.Tuple) else []


def _spelled(node: ast.expr | None) -> Target | None:
    """`schema.table.column`, as SQLAlchemy takes it apart."""
    parts = (_text(node) or "").rsplit(".", 2)
    return (parts[0], parts[1], (parts[2],)) if len(parts) == 3 else None


def _of_operation(call: ast.Call, named: dict[str | None, ast.expr]) -> Target | None:
    """Of `op.create_foreign_key(name, source, referent, local, remote)`, or without `source` of a batch's."""
    schema = _text(named.get("referent_schema"))
    texts = [_text(node) for node in call.args[1:3]]
    table = _text(named.get("referent_table")) or next((text for text in reversed(texts) if text), None)
    lists = [node for node in call.args if isinstance(node, ast.List | ast.Tuple)]
    remote = named.get("remote_cols", *lists[1:2])
    columns = tuple(filter(None, map(_text, _items(remote))))
    return (schema, table, columns) if schema and table else None
