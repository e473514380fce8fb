"""What an expression is worth, and what is made from several."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace


class Unknown:
    """Stands for what only running the code could tell."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class Value:
    """An expression's worth."""

    constant: object = UNKNOWN
    variables: frozenset[str] = frozenset()
    """of the environment, that it is made from"""
    doubled: bool = False
    """each % that it may hold is written twice"""
    from_settings: bool = False
    """it is read from alembic.ini"""
    altered: bool = False
    """it has been through code that cannot be followed"""
    replaced: tuple[tuple[str | None, str], ...] = ()
    """what was put in place of what in it; "": of everything before `://`; None: the same, before a part of a URL"""
    default: object = field(default=UNKNOWN, repr=False)
    """what it is when the environment has none of them; may hold a password"""

    @property
    def text(self) -> str | None:
        """The text that it is, if it is one and known."""
        return self.constant if isinstance(self.constant, str) else None

    @property
    def likely(self) -> object:
        """What it is where the environment says nothing of it."""
        return self.default if self.constant is UNKNOWN else self.constant


NOTHING = Value()


def made_of(parts: Iterable[Value]) -> Value:
    """Something made from these in a way that is not known."""
    listed = list(parts)
    return Value(
        variables=frozenset().union(*(each.variables for each in listed)),
        doubled=_all_doubled(listed),
        from_settings=any(each.from_settings for each in listed),
        altered=any(each.altered for each in listed),
        replaced=tuple(pair for each in listed for pair in each.replaced),
    )


def _all_doubled(parts: list[Value]) -> bool:
    open_ = [each for each in parts if not each.doubled and not _harmless(each)]
    return not open_ and any(each.doubled for each in parts)


def _harmless(part: Value) -> bool:
    return part.constant is not UNKNOWN and (part.text is None or "%" not in part.text)


def all_known(values: list[Value]) -> object:
    """Their constants together, if each is known."""
    known = all(each.constant is not UNKNOWN for each in values)
    return tuple(each.constant for each in values) if known else UNKNOWN


def joined(parts: list[Value]) -> Value:
    """These, one after another."""
    made = made_of(parts)
    if all(each.constant is not UNKNOWN for each in parts):
        return replace(made, constant="".join(str(each.constant) for each in parts))
    if all(each.likely is not UNKNOWN for each in parts):
        made = replace(made, default="".join(str(each.likely) for each in parts))
    head = parts[0].text if parts else None
    if head and "://" in head:
        made = replace(made, replaced=(*made.replaced, (None, head.partition("://")[0])))
    return made


def either(values: list[Value]) -> Value:
    """One of these, nobody knows which."""
    if len(values) == 1:
        return values[0]
    known = [each for each in values if each.from_settings or each.constant is not UNKNOWN]
    made = replace(made_of(values), from_settings=len(known) == len(values) and made_of(values).from_settings)
    constants = {repr(each.constant): each.constant for each in values}
    defaults = [each.constant for each in values if each.constant is not UNKNOWN]
    same = next(iter(constants.values())) if len(constants) == 1 else UNKNOWN
    return replace(made, constant=same, default=defaults[-1] if defaults else made.default)


def replaced(whole: Value, old: Value, new: Value) -> Value:
    """The whole with one text put in place of another."""
    if old.text is None or new.text is None:
        return replace(made_of([whole, old, new]), altered=True)
    if whole.text is not None:
        return replace(whole, constant=whole.text.replace(old.text, new.text))
    if (old.text, new.text) == ("%", "%%"):
        return replace(whole, doubled=True)
    return replace(whole, replaced=(*whole.replaced, (old.text, new.text)))
