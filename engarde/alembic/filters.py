"""What an `include_name` or `include_object` lets through, worked out from its text for one table at a time."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engarde.alembic.reader import Reader
from engarde.alembic.source import Function, Source
from engarde.alembic.values import UNKNOWN


@dataclass(frozen=True, slots=True)
class Table:
    """A table as autogenerate shows it to the filters."""

    schema: str | None
    """None in the login's first schema"""
    name: str
    declared: bool
    """the models have it"""
    exists: bool = True
    """the database has it, too"""
    modelled: str | None = None
    """the schema that the models give it"""

    @property
    def of_object(self) -> str | None:
        """The schema of what an `include_object` is given."""
        return self.modelled if self.declared else self.schema


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter function, and the file that it is in."""

    source: Source
    function: Function | ast.Lambda
    reader: Reader

    def lets(self, table: Table, arguments: Sequence[object]) -> bool | None:
        """Whether it returns something true for these arguments; None where its text does not tell."""
        names = [each.arg for each in (*self.function.args.posonlyargs, *self.function.args.args)]
        bound = dict(zip(names, arguments, strict=False))
        if len(names) > len(arguments):
            return None
        work = _Work(self, table)
        if isinstance(self.function, ast.Lambda):
            result = work.worth(self.function.body, bound)
        else:
            result = work.run(self.function.body, bound)
        return None if result is UNKNOWN else bool(result)


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of all tables that the models have."""


@dataclass(frozen=True, slots=True)
class _Fallen:
    """The end of a body without a return."""


NAMES = _Names()
_FALLEN = _Fallen()

_COMPARED: Mapping[type[ast.cmpop], Callable[[object, object], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.eq,
    ast.IsNot: operator.ne,
}
_OF_TEXT = ("startswith", "endswith", "lower", "upper", "strip", "casefold")


@dataclass(frozen=True, slots=True)
class _Work:
    filter: Filter
    table: Table

    def run(self, body: Sequence[ast.stmt], bound: dict[str, object]) -> object:
        """What a body returns; UNKNOWN as soon as it does something whose outcome is not plain."""
        result = self._run(list(body), bound)
        return None if result is _FALLEN else result

    def _run(self, body: list[ast.stmt], bound: dict[str, object]) -> object:
        for place, statement in enumerate(body):
            match statement:
                case ast.Return(value=value):
                    return self.worth(value, bound) if value else None
                case ast.If(test=test, body=yes, orelse=no):
                    rest = body[place + 1 :]
                    answer = self.worth(test, bound)
                    if answer is not UNKNOWN:
                        return self._run([*(yes if answer else no), *rest], bound)
                    one, other = self._run([*yes, *rest], dict(bound)), self._run([*no, *rest], dict(bound))
                    return one if _truth(one) == _truth(other) else UNKNOWN
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    bound[name] = self.worth(value, bound)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    bound[name] = self.worth(value, bound)
                case ast.Expr() | ast.Pass() | ast.Global() | ast.Import() | ast.ImportFrom() | ast.FunctionDef():
                    continue
                case _:
                    return UNKNOWN
        return _FALLEN

    def worth(self, node: ast.expr, bound: Mapping[str, object]) -> object:
        """What an expression is for this table."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name) if name in bound:
                return bound[name]
            case ast.BoolOp(op=op, values=parts):
                return self._bool(isinstance(op, ast.Or), [self.worth(part, bound) for part in parts])
            case ast.UnaryOp(op=ast.Not(), operand=part):
                found = self.worth(part, bound)
                return UNKNOWN if found is UNKNOWN else not found
            case ast.IfExp(test=test, body=yes, orelse=no):
                answer = self.worth(test, bound)
                one, other = self.worth(yes, bound), self.worth(no, bound)
                return (one if answer else other) if answer is not UNKNOWN else (one if one == other else UNKNOWN)
            case ast.Compare(left=left, ops=ops, comparators=others):
                return self._compare(left, ops, others, bound)
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                found_all = [self.worth(part, bound) for part in parts]
                return UNKNOWN if any(each is UNKNOWN for each in found_all) else tuple(found_all)
            case ast.Subscript(value=value, slice=key):
                return self._item(self.worth(value, bound), self.worth(key, bound))
            case ast.Attribute(attr="tables"):
                return NAMES
            case ast.Attribute(value=value, attr=attribute) if self.worth(value, bound) is self.table:
                return {"schema": self.table.of_object, "name": self.table.name}.get(attribute, UNKNOWN)
            case ast.Call(func=func, args=arguments):
                return self._call(func, arguments, bound)
        return self.filter.reader.value(self.filter.source, node).constant

    def _bool(self, is_or: bool, parts: Sequence[object]) -> object:
        for part in parts:
            if part is not UNKNOWN and bool(part) is is_or:
                return part
        return UNKNOWN if any(part is UNKNOWN for part in parts) else parts[-1]

    def _compare(
        self, left: ast.expr, ops: Sequence[ast.cmpop], others: Sequence[ast.expr], bound: Mapping[str, object]
    ) -> object:
        one = self.worth(left, bound)
        answers: list[object] = []
        for op, node in zip(ops, others, strict=True):
            other = self.worth(node, bound)
            answers.append(self._one(op, one, other))
            one = other
        return self._bool(False, [each if each is UNKNOWN else bool(each) for each in answers])

    def _one(self, op: ast.cmpop, one: object, other: object) -> object:
        if other is NAMES and isinstance(op, ast.In | ast.NotIn):
            return self.table.declared is isinstance(op, ast.In)
        if one is UNKNOWN or other is UNKNOWN or one is NAMES or other is NAMES:
            return UNKNOWN
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(other, tuple | str) or (isinstance(other, str) and not isinstance(one, str)):
                return UNKNOWN
            return (one in other) is isinstance(op, ast.In)
        compare = _COMPARED.get(type(op))
        return UNKNOWN if compare is None else compare(one, other)

    def _item(self, whole: object, key: object) -> object:
        return whole.get(key, UNKNOWN) if isinstance(whole, dict) and isinstance(key, str) else UNKNOWN

    def _call(self, func: ast.expr, nodes: Sequence[ast.expr], bound: Mapping[str, object]) -> object:
        match func:
            case ast.Name(id="bool") if nodes:
                found = self.worth(nodes[0], bound)
                return UNKNOWN if found is UNKNOWN else bool(found)
            case ast.Name(id="getattr") if len(nodes) > 1:
                key = self.worth(nodes[1], bound)
                if self.worth(nodes[0], bound) is self.table and key in ("schema", "name"):
                    return self.table.of_object if key == "schema" else self.table.name
            case ast.Name(id="hasattr") if len(nodes) > 1:
                known = self.worth(nodes[0], bound) is self.table
                return True if known and self.worth(nodes[1], bound) in ("schema", "name") else UNKNOWN
            case ast.Name(id="set" | "list" | "tuple" | "frozenset" | "sorted") if nodes:
                return self.worth(nodes[0], bound)
            case ast.Attribute(value=value, attr="keys") if not nodes and self.worth(value, bound) is NAMES:
                return NAMES
            case ast.Attribute(value=value, attr="get") if (
                isinstance(whole := self.worth(value, bound), dict) and nodes
            ):
                found = self._item(whole, self.worth(nodes[0], bound))
                return self.worth(nodes[1], bound) if found is UNKNOWN and len(nodes) > 1 else found
            case ast.Attribute(value=value, attr=method) if method in _OF_TEXT:
                text, given = self.worth(value, bound), [self.worth(each, bound) for each in nodes]
                if isinstance(text, str) and all(isinstance(each, str | tuple) for each in given):
                    return getattr(text, method)(*given)
        return UNKNOWN


def _truth(found: object) -> object:
    return found if found in (UNKNOWN, _FALLEN) else bool(found)
