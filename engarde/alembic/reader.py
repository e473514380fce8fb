"""Says what an expression of a file is worth, as far as the text of its project says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from engarde.alembic.source import Function, Source, dotted, name_of, named, source
from engarde.alembic.values import NOTHING, UNKNOWN, Value, all_known, either, joined, made_of, replaced
from engarde.errors import ConfigError

DEEPEST = 12
"""How far names are followed before a value counts as unknown."""

_FROM_SETTINGS = ("get_main_option", "get_section_option", "get_section", "get_alembic_option")
_KNOWN = ("create", "set", "make_url", "render_as_string", "unicode_string", "quote", "quote_plus", "unquote", "rstrip")
"""Calls that leave a URL's driver as it is, but for one that they are given."""
_SAME = ("str", "text", "quoted_name", "strip", "DDL")
"""Calls whose one argument is what they return, or all that matters of it."""


class Reader:
    """Follows names through a project's own files."""

    def __init__(self, roots: tuple[Path, ...]) -> None:
        self.roots = roots
        self.metadata_schema: object = UNKNOWN
        """what `schema` of the models' metadata is, once they are read"""
        self._read: dict[Path, Source | None] = {}

    def source(self, file: Path) -> Source | None:
        """A file of the project; None when it is no Python."""
        if file not in self._read:
            try:
                self._read[file] = source(file, self.roots)
            except ConfigError:
                self._read[file] = None
        return self._read[file]

    def imported(self, at: Source, name: str) -> tuple[Source, str | None] | None:
        """The file of the project that a name comes from, and its name there."""
        module, there = at.imports.get(name, ("", None))
        if there and (file := at.module(f"{module}.{there}")):
            found = self.source(file)
            return (found, None) if found else None
        file = at.module(module) if module else None
        found = self.source(file) if file else None
        return (found, there) if found else None

    def value(self, at: Source, node: ast.expr, depth: int = 0) -> Value:
        """What an expression of this file is worth."""
        if depth > DEEPEST:
            return NOTHING
        match node:
            case ast.Constant(value=value):
                return Value(value)
            case ast.Name(id=name):
                return self._name(at, node, name, depth + 1)
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                values = [self.value(at, part, depth + 1) for part in parts]
                return replace(made_of(values), constant=all_known(values))
            case ast.Dict(keys=[]):
                return Value({})
            case ast.Subscript(value=value, slice=key) if dotted(value).endswith("environ"):
                return self._variable(self.value(at, key, depth + 1), NOTHING)
            case ast.JoinedStr(values=parts):
                return joined([self.value(at, part, depth + 1) for part in parts])
            case ast.FormattedValue(value=value):
                return self.value(at, value, depth + 1)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return joined([self.value(at, left, depth + 1), self.value(at, right, depth + 1)])
            case ast.BoolOp(values=parts):
                return either([self.value(at, part, depth + 1) for part in parts])
            case ast.IfExp(body=yes, orelse=no):
                return either([self.value(at, yes, depth + 1), self.value(at, no, depth + 1)])
            case ast.Call():
                return self._call(at, node, depth + 1)
            case ast.Attribute(value=value, attr="schema") if dotted(value).endswith("metadata"):
                return Value(self.metadata_schema)
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if found := self.imported(at, name):
                return self.global_(found[0], attribute, depth + 1) if found[1] is None else NOTHING
            case ast.Attribute(value=value) | ast.Subscript(value=value) | ast.Await(value=value):
                return replace(self.value(at, value, depth + 1), constant=UNKNOWN)
        return NOTHING

    def global_(self, at: Source, name: str, depth: int = 0) -> Value:
        """What a module's name is worth once the module has run."""
        return self._assigned(at, at.tree, name, 10**9, depth)

    def _name(self, at: Source, node: ast.Name, name: str, depth: int) -> Value:
        scope = at.scope(node)
        if scope is not at.tree:
            found = self._assigned(at, scope, name, node.lineno, depth)
            if found is not NOTHING:
                return found
            return self._assigned(at, at.tree, name, 10**9, depth)
        return self._assigned(at, scope, name, node.lineno, depth)

    def _assigned(self, at: Source, scope: ast.AST, name: str, before: int, depth: int) -> Value:
        """The last assignment of a name, and those that a condition lets stand in its place."""
        found: list[Value] = []
        for line, node, value in reversed(list(assignments(at, name))):
            if line < before and at.scope(node) is scope:
                found.append(self.value(at, value, depth + 1))
                if not at.depends(node, at.scope(node)):
                    break
        if found:
            return either(found)
        if scope is at.tree and (there := self.imported(at, name)) and there[1]:
            return self.global_(there[0], there[1], depth + 1) if depth < DEEPEST else NOTHING
        return NOTHING

    def _call(self, at: Source, node: ast.Call, depth: int) -> Value:
        name = name_of(node.func)
        arguments = [self.value(at, each, depth) for each in node.args]
        if dotted(node.func) in ("os.getenv", "getenv") or dotted(node.func).endswith("environ.get"):
            return (
                self._variable(arguments[0], arguments[1] if len(arguments) > 1 else NOTHING) if arguments else NOTHING
            )
        if name in _FROM_SETTINGS:
            return Value(from_settings=True)
        if isinstance(node.func, ast.Name) and (function := at.functions.get(node.func.id)):
            return either([self.value(at, each, depth) for each in returned(at, function)])
        whole = [
            *([self.value(at, node.func.value, depth)] if isinstance(node.func, ast.Attribute) else []),
            *arguments,
        ]
        named = {each.arg: self.value(at, each.value, depth) for each in node.keywords}
        if name == "replace" and len(whole) >= 3:
            return replaced(whole[0], whole[1], whole[2])
        if name == "sub" and len(arguments) >= 3 and isinstance(node.func, ast.Attribute):
            return replaced(arguments[2], _literal(arguments[0]), arguments[1])
        driver = named.get("drivername") or (arguments[0] if name == "create" and arguments else None)
        made = replace(made_of([*whole, *named.values()]), altered=name not in (*_KNOWN, *_SAME))
        if driver and driver.text:
            made = replace(made, replaced=(*made.replaced, ("" if name == "set" else None, driver.text)))
        if name in _SAME and len(whole) == 1:
            return replace(made, constant=whole[0].constant, default=whole[0].default)
        return made

    def _variable(self, name: Value, default: Value) -> Value:
        known = frozenset({name.text}) if name.text else frozenset()
        return Value(variables=known | default.variables, default=default.constant)


def _literal(pattern: Value) -> Value:
    """The text that a regular expression means, if it means one."""
    bare = (pattern.text or ".").removeprefix("^")
    if re.search(r"[][(){}*+?.|$\\]", re.sub(r"\\\W", "", bare)):
        return NOTHING
    return Value(re.sub(r"\\(\W)", r"\1", bare))


def assignments(at: Source, name: str) -> Iterator[tuple[int, ast.stmt, ast.expr]]:
    """Where a file gives a name a value, in the order of its text."""
    for node in at.nodes:
        match node:
            case ast.Assign(targets=targets, value=value):
                pairs = [pair for target in targets for pair in named(target, value)]
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                pairs = list(named(target, value))
            case _:
                continue
        yield from ((node.lineno, node, value) for given, value in pairs if given == name)


def returned(at: Source, function: Function) -> Iterator[ast.expr]:
    """What a function of the file returns."""
    for node in at.nodes:
        if isinstance(node, ast.Return) and node.value and at.scope(node) is function:
            yield node.value
