"""Maps of options that are written out somewhere in a file."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from engarde.alembic.reader import assignments, returned
from engarde.alembic.source import Function, Source

DEEPEST = 5
"""How far maps are followed that are made from others."""


def given(source: Source, call: ast.Call) -> tuple[dict[str, ast.expr], bool]:
    """The options of a call, those of a written-out map among them; and whether it has others."""
    around = source.function(call)
    found: dict[str, ast.expr] = {}
    opaque = False
    for each in call.keywords:
        if each.arg is not None:
            found[each.arg] = each.value
        elif around is None or not is_rest(each.value, around):
            further = entries(source, each.value)
            opaque = opaque or further is None
            found |= further or {}
    return found, opaque


def by_position(function: Function, call: ast.Call) -> Mapping[str, ast.expr]:
    """What a call gives a function without naming it."""
    return {each.arg: value for each, value in zip(function.args.args, call.args, strict=False)}


def is_rest(node: ast.expr, around: Function) -> bool:
    """Whether it is what a function takes under any name."""
    return isinstance(node, ast.Name) and around.args.kwarg is not None and node.id == around.args.kwarg.arg


def entries(source: Source, node: ast.expr, depth: int = 0) -> dict[str, ast.expr] | None:
    """The entries of a map; None where only running the file would tell."""
    if depth > DEEPEST:
        return None
    match node:
        case ast.Dict(keys=keys, values=values):
            found: dict[str, ast.expr] = {}
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    found[key.value] = value
                elif key is not None or (further := entries(source, value, depth + 1)) is None:
                    return None
                else:
                    found |= further
            return found
        case ast.Call(func=ast.Name(id="dict"), args=parts, keywords=keywords):
            given = [entries(source, each, depth + 1) for each in parts]
            given += [entries(source, each.value, depth + 1) for each in keywords if each.arg is None]
            if any(each is None for each in given):
                return None
            whole = {name: value for each in given if each for name, value in each.items()}
            return whole | {each.arg: each.value for each in keywords if each.arg}
        case ast.Call(func=ast.Name(id=name)) if name in source.functions:
            results = [entries(source, each, depth + 1) for each in returned(source, source.functions[name])]
            return results[0] if len(results) == 1 else None
        case ast.Name(id=name):
            return _of_name(source, node, name, depth)
    return None


def _of_name(source: Source, node: ast.Name, name: str, depth: int) -> dict[str, ast.expr] | None:
    scope = source.scope(node)
    places = [each for each in assignments(source, name) if source.scope(each[1]) in (scope, source.tree)]
    nearest = [each for each in places if source.scope(each[1]) is scope] or places
    found = entries(source, nearest[-1][2], depth + 1) if nearest else None
    if found is None:
        return None
    for each in source.nodes:
        match each:
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=target), slice=ast.Constant(value=str() as key))]):
                found |= {key: each.value} if target == name else {}
            case ast.Call(func=ast.Attribute(value=ast.Name(id=target), attr="update")) if target == name:
                found |= {word.arg: word.value for word in each.keywords if word.arg}
                for part in each.args:
                    found |= entries(source, part, depth + 1) or {}
    return found
