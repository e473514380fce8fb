"""What an `include_name` or `include_object` lets through, worked out from its text for one table at a time."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from engarde.alembic.judge import Judge, Table
from engarde.alembic.reader import Reader
from engarde.alembic.source import Function, Source
from engarde.alembic.values import UNKNOWN

_FALLEN = object()
"""The end of a body without a return."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter function, and the file that it is in."""

    source: Source
    function: Function | ast.Lambda
    reader: Reader

    def lets(self, table: Table, arguments: Sequence[object]) -> bool | None:
        """Whether it returns something true for these arguments; None where its text does not tell."""
        names = [each.arg for each in (*self.function.args.posonlyargs, *self.function.args.args)]
        if len(names) > len(arguments):
            return None
        bound = dict(zip(names, arguments, strict=False))
        judge = Judge(self.source, self.reader, table)
        if isinstance(self.function, ast.Lambda):
            result = judge.worth(self.function.body, bound)
        else:
            result = _returned(judge, self.function.body, bound)
        return None if result is UNKNOWN else result is not _FALLEN and bool(result)


def _returned(judge: Judge, body: Sequence[ast.stmt], bound: dict[str, object]) -> object:
    """What a body returns; UNKNOWN as soon as it does something whose outcome is not plain."""
    for place, statement in enumerate(body):
        match statement:
            case ast.Return(value=value):
                return judge.worth(value, bound) if value else None
            case ast.If(test=test, body=yes, orelse=no):
                answer = judge.worth(test, bound)
                ways = (yes, no) if answer is UNKNOWN else (yes,) if answer else (no,)
                ends = [_returned(judge, [*way, *body[place + 1 :]], dict(bound)) for way in ways]
                return ends[0] if len({_truth(end) for end in ends}) == 1 else UNKNOWN
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                bound[name] = judge.worth(value, bound)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                bound[name] = judge.worth(value, bound)
            case ast.Expr() | ast.Pass() | ast.Global() | ast.Import() | ast.ImportFrom():
                continue
            case _:
                return UNKNOWN
    return _FALLEN


def _truth(found: object) -> bool | None:
    return None if found is UNKNOWN else found is not _FALLEN and bool(found)
