"""What an expression of a filter is worth for one table."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engarde.alembic.reader import Reader
from engarde.alembic.source import Source
from engarde.alembic.values import UNKNOWN

Bound = Mapping[str, object]

NAMES = object()
"""The names of all tables that the models have."""

_COMPARED: Mapping[type[ast.cmpop], Callable[[object, object], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.eq,
    ast.IsNot: operator.ne,
}
_OF_TEXT = ("startswith", "endswith", "lower", "upper", "strip", "casefold")


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

    @property
    def key(self) -> str | None:
        """Its name among the models' tables, if it is one."""
        return None if not self.declared else f"{self.modelled}.{self.name}" if self.modelled else self.name


@dataclass(frozen=True, slots=True)
class Judge:
    """One table, and the file whose expressions ask about it."""

    source: Source
    reader: Reader
    table: Table

    def worth(self, node: ast.expr, bound: Bound) -> object:
        """What an expression is where these names have these values; UNKNOWN where that is not plain."""
        match node:
            case ast.Name(id=name) if name in bound:
                return bound[name]
            case ast.BoolOp(op=op, values=parts):
                return _bool(isinstance(op, ast.Or), [self.worth(part, bound) for part in parts])
            case ast.UnaryOp(op=ast.Not(), operand=part):
                found = self.worth(part, bound)
                return UNKNOWN if found is UNKNOWN else not found
            case ast.IfExp(test=test, body=yes, orelse=no):
                answer = self.worth(test, bound)
                one, other = self.worth(yes, bound), self.worth(no, bound)
                return (one if answer else other) if answer is not UNKNOWN else (one if one == other else UNKNOWN)
            case ast.Compare(left=left, ops=ops, comparators=others):
                values = [self.worth(each, bound) for each in (left, *others)]
                pairs = zip(ops, values, values[1:], strict=False)
                return _bool(False, [self._compared(op, one, other) for op, one, other in pairs])
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                values = [self.worth(part, bound) for part in parts]
                return UNKNOWN if UNKNOWN in values else tuple(values)
            case ast.JoinedStr(values=parts):
                values = [self.worth(part, bound) for part in parts]
                return UNKNOWN if UNKNOWN in values else "".join(map(str, values))
            case ast.FormattedValue(value=value):
                return self.worth(value, bound)
            case ast.Subscript(value=value, slice=key):
                return _item(self.worth(value, bound), self.worth(key, bound))
            case ast.Attribute(attr="tables"):
                return NAMES
            case ast.Attribute(value=value, attr=attribute) if self.worth(value, bound) is self.table:
                return self._attribute(attribute)
            case ast.Call(func=func, args=arguments):
                return self._call(func, arguments, bound)
        return self.reader.value(self.source, node).likely

    def _attribute(self, name: object) -> object:
        return {"schema": self.table.of_object, "name": self.table.name}.get(str(name), UNKNOWN)

    def _compared(self, op: ast.cmpop, one: object, other: object) -> object:
        if isinstance(op, ast.In | ast.NotIn):
            wanted = isinstance(op, ast.In)
            if other is NAMES and one is not UNKNOWN:
                return (one == self.table.key) is wanted
            if one is UNKNOWN or not (isinstance(other, tuple) or (isinstance(other, str) and isinstance(one, str))):
                return UNKNOWN
            return (one in other) is wanted
        compare = _COMPARED.get(type(op))
        plain = not any(each is UNKNOWN or each is NAMES for each in (one, other))
        return compare(one, other) if compare and plain else UNKNOWN

    def _call(self, func: ast.expr, nodes: Sequence[ast.expr], bound: Bound) -> object:
        given = [self.worth(each, bound) for each in nodes]
        match func:
            case ast.Name(id="bool") if given:
                return UNKNOWN if given[0] is UNKNOWN else bool(given[0])
            case ast.Name(id="getattr") if len(given) > 1 and given[0] is self.table:
                return self._attribute(given[1])
            case ast.Name(id="hasattr") if len(given) > 1 and given[0] is self.table:
                return self._attribute(given[1]) is not UNKNOWN or UNKNOWN
            case ast.Name(id="set" | "list" | "tuple" | "frozenset" | "sorted") if given:
                return given[0]
            case ast.Attribute(value=value, attr=method):
                return _of(self.worth(value, bound), method, given)
        return UNKNOWN


def _of(whole: object, method: str, given: Sequence[object]) -> object:
    """What a method returns."""
    if whole is NAMES and method == "keys":
        return NAMES
    if isinstance(whole, dict) and method == "get" and given:
        found = _item(whole, given[0])
        return given[1] if found is UNKNOWN and len(given) > 1 else found
    if isinstance(whole, str) and method in _OF_TEXT and all(isinstance(each, str | tuple) for each in given):
        return getattr(whole, method)(*given)
    return UNKNOWN


def _item(whole: object, key: object) -> object:
    return whole.get(key, UNKNOWN) if isinstance(whole, dict) and isinstance(key, str) else UNKNOWN


def _bool(is_or: bool, parts: Sequence[object]) -> object:
    """The first of `or` that is true, the first of `and` that is not, the last of all others."""
    for part in parts:
        if part is not UNKNOWN and bool(part) is is_or:
            return part
    return UNKNOWN if UNKNOWN in parts else parts[-1]
