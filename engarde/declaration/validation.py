"""Faults of a stack file: the path, what is wrong, what is allowed; never the value."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, to_json

_PLAIN_WORDS = {
    "missing": "missing",
    "model_type": "must be a map",
    "dict_type": "must be a map",
    "tuple_type": "must be a list",
    "string_type": "must be a text",
    "string_pattern_mismatch": "not of the allowed form",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
}
_PLAIN_KEY = re.compile(r"[\w.+-]+")
_LONGEST_KEY = 100
_RUN = re.compile(r"[A-Za-z0-9+/=]+")
_SHORTEST_SECRET = 16

Declared = TypeVar("Declared", bound=BaseModel)


@dataclass(frozen=True, slots=True, order=True)
class ValidationFault:
    path: str
    wrong: str

    def __str__(self) -> str:
        return f"{self.path}: {self.wrong}"


def key(name: object) -> str:
    """A key in a path: quoted if it is odd, and left out if it may hold a secret."""
    text = str(name)
    if "://" in text or "@" in text:
        return "(a key that looks like an address)"
    if any(_like_a_secret(run) for run in _RUN.findall(text)):
        return "(a key that looks like a secret)"
    if len(text) > _LONGEST_KEY:
        return f"(a key of {len(text)} characters)"
    return text if _PLAIN_KEY.fullmatch(text) else repr(text)


def _like_a_secret(run: str) -> bool:
    """Whether it looks like a generated password or like Pulumi's ciphertext, not like a name."""
    return len(run) >= _SHORTEST_SECRET and all(re.search(kind, run) for kind in ("[a-z]", "[A-Z]", "[0-9]"))


def join(path: str, *parts: object) -> str:
    """The path of something inside `path`: keys after a dot, positions in brackets."""
    return path + "".join(f"[{part}]" if isinstance(part, int) else f".{key(part)}" for part in parts)


def check(
    kind: type[Declared], declared: dict[str, object], path: str, faults: list[ValidationFault]
) -> Declared | None:
    """The model without its faulty parts, so that the rules check the rest in the same run; adds its faults.

    None if a required part is faulty. Read as JSON, so that lists become tuples.
    """
    try:
        return kind.model_validate_json(to_json(declared))
    except ValidationError as error:
        faults.extend(_explain(kind, path, error))
        faulty = [detail["loc"] for detail in error.errors(include_url=False, include_input=False)]
    try:
        return kind.model_validate_json(to_json(_without(declared, faulty)))
    except ValidationError:
        return None


def _without(declared: dict[str, object], faulty: list[tuple[int | str, ...]]) -> dict[str, object]:
    """The declared map without the faulty entries: of a list only the item, of anything else the whole top key."""
    items = {loc[:2] for loc in faulty if len(loc) > 1 and isinstance(declared.get(str(loc[0])), list)}
    dropped = {loc[0] for loc in faulty} - {name for name, _ in items}
    return {
        name: [item for place, item in enumerate(value) if (name, place) not in items]
        if isinstance(value, list)
        else value
        for name, value in declared.items()
        if name not in dropped
    }


def _explain(kind: type[BaseModel], path: str, error: ValidationError) -> Iterator[ValidationFault]:
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        parts = [part for part in detail["loc"] if part != "[key]"]
        yield ValidationFault(join(path, *parts), _sentence(kind, detail))


def _sentence(kind: type[BaseModel], detail: ErrorDetails) -> str:
    if detail["type"] == "extra_forbidden":
        return f"unknown key; allowed: {', '.join(allowed_keys(kind, detail['loc'][:-1]))}"
    said = _PLAIN_WORDS.get(detail["type"]) or detail["msg"].replace("Input should be", "must be")
    field = _field(kind, detail["loc"][0]) if detail["loc"] else None
    return f"{said}; allowed: {field.description}" if field and field.description else said


def _field(kind: type[BaseModel], name: object) -> Any:
    return next((f for n, f in kind.model_fields.items() if name in (f.alias, n)), None)


def _map_in(annotation: Any) -> type[BaseModel] | None:
    """The model of a field that holds a map or nothing."""
    kinds = (annotation, *get_args(annotation))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def allowed_keys(kind: type[BaseModel], loc: tuple[int | str, ...] = ()) -> list[str]:
    """The keys that a map of this kind may have; inside a list of reads, those of a read."""
    if loc and (field := _field(kind, loc[0])) and (inner := _map_in(field.annotation)):
        return allowed_keys(inner, loc[1:])
    if loc:
        return ["table", "columns", "references"]
    return [field.alias or name for name, field in kind.model_fields.items() if name != "name"]
