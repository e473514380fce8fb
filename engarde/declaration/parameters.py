"""More settings of a role: they change how many resources it uses, never what it may do.

None of them changes what a name means, which role a session acts as, or what it reads or writes; the stack sets those.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

from engarde.declaration.declared import UNITS as BYTES
from engarde.declaration.declared import Declared
from engarde.declaration.names import QUOTED, unquoted

UNITS = {"": 1, "us": 0.001, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
"""milliseconds"""


def milliseconds(text: str) -> float:
    """A timeout, written in any unit; NaN if it is invalid."""
    parts = re.fullmatch(r"\s*(0[xX][0-9a-fA-F]+|[0-9.]+(?:[eE][+-]?[0-9]+)?)\s*([a-z]*)\s*", text)
    if parts is None:
        return float("nan")
    number = float(int(parts[1], 16)) if parts[1].lower().startswith("0x") else float(parts[1])
    return number * UNITS.get(parts[2], 1)


def kilobytes(text: str) -> float:
    """A size, written in any unit; NaN if it is invalid."""
    parts = re.fullmatch(r"\s*(-?[0-9.]+)\s*(B|kB|MB|GB|TB|)\s*", text)
    return float(parts[1]) * BYTES.get(parts[2], 1024) / 1024 if parts else float("nan")


def switched_on(text: str) -> bool:
    word = text.strip().lower()
    return word in ("on", "1") or (word != "" and ("true".startswith(word) or "yes".startswith(word)))


def split_path(text: str) -> tuple[str, ...]:
    """The schemas of a search_path: quotes as in SQL, unquoted names in small letters."""
    found, rest = [], text.strip()
    while rest:
        if quoted := QUOTED.match(rest):
            found.append(unquoted(quoted))
            rest = rest[quoted.end() :].partition(",")[2].strip()
        else:
            name, _, rest = rest.partition(",")
            found, rest = [*found, name.strip().lower()], rest.strip()
    return tuple(name for name in found if name)


MOST = 2_147_483_647
"""The largest value of a setting [kB or ms]."""
SMALLEST = 64
"""The least memory of a statement [kB]."""

_SIZE = re.compile(r"\d{1,10} ?(kB|MB|GB)")
_TIME = re.compile(r"\d{1,10} ?(ms|s|min|h|d)?")


def _size(text: str) -> str:
    if not _SIZE.fullmatch(text) or not SMALLEST <= kilobytes(text) <= MOST:
        raise PydanticCustomError("size", "must be a size of at least 64kB, in kB, MB or GB")
    return text


def _time(value: Any) -> str:
    text = "" if isinstance(value, bool) else str(value)
    if not _TIME.fullmatch(text) or milliseconds(text) > MOST:
        raise PydanticCustomError("time", "must be a time in ms, s, min, h or d, or a number of milliseconds")
    return text


def _logged(value: Any) -> str:
    return "-1" if str(value) == "-1" else _time(value)


def _number(least: float, most: float) -> Callable[[float], str]:
    def checked(value: float) -> str:
        if not least <= value <= most:
            allowed = {"least": least, "most": most}
            raise PydanticCustomError("number", "must be a number from {least} to {most}", allowed)
        return f"{value:g}"

    return checked


def _switch(value: Any) -> str:
    text = ("off", "on")[value] if isinstance(value, bool) else value
    if text not in ("on", "off"):
        raise PydanticCustomError("switch", "must be on or off")
    return str(text)


Size = Annotated[str, AfterValidator(_size)]
Time = Annotated[str, BeforeValidator(_time)]


class Parameters(Declared):
    """Settings of a role by their names, each as the server reads it."""

    model_config = ConfigDict(alias_generator=None)

    work_mem: Size | None = None
    """a size such as 16MB"""
    maintenance_work_mem: Size | None = None
    """a size such as 256MB"""
    lock_timeout: Time | None = None
    """a time such as 5s, 0 = none"""
    log_min_duration_statement: Annotated[str, BeforeValidator(_logged)] | None = None
    """a time such as 500ms, 0 = every statement, -1 = none; needs an admin that is a superuser"""
    hash_mem_multiplier: Annotated[float, AfterValidator(_number(1, 1000))] | None = None
    """a number from 1 to 1000"""
    random_page_cost: Annotated[float, AfterValidator(_number(0, 1_000_000))] | None = None
    """a number such as 1.1"""
    default_statistics_target: Annotated[int, AfterValidator(_number(1, 10_000))] | None = None
    """a whole number from 1 to 10000"""
    max_parallel_workers_per_gather: Annotated[int, AfterValidator(_number(0, 1024))] | None = None
    """a whole number from 0 to 1024"""
    jit: Annotated[str, BeforeValidator(_switch)] | None = None
    """on or off"""

    def stated(self, *, superuser: bool) -> dict[str, str]:
        """The settings that have a value and that such an admin may set."""
        found = {name: value for name in COMPARED if isinstance(value := getattr(self, name), str)}
        return found if superuser else {name: value for name, value in found.items() if name not in SUPERUSERS}


SUPERUSERS = frozenset({"log_min_duration_statement"})
"""Settings that only a superuser may set or reset."""

COMPARED: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {
        "work_mem": kilobytes,
        "maintenance_work_mem": kilobytes,
        "lock_timeout": milliseconds,
        "log_min_duration_statement": lambda text: -1 if text.strip() == "-1" else milliseconds(text),
        "hash_mem_multiplier": float,
        "random_page_cost": float,
        "default_statistics_target": float,
        "max_parallel_workers_per_gather": float,
        "jit": switched_on,
    }
)
"""Parsers that make values comparable as the server compares them; invalid values are never in its catalogs."""
