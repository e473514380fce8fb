"""The entries of the corpus as they are read; README.md beside this says what each key means."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, model_validator
from ruamel.yaml import YAML

HELD_OUT = Path(__file__).with_name("held_out")

Words = Annotated[str, Field(min_length=1)]
Expression = Annotated[re.Pattern[str], BeforeValidator(lambda written: re.compile(written, re.IGNORECASE))]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Fix(Strict):
    kind: Literal["stack-file", "sql", "command", "code", "railway", "wait", "none"]
    says: list[Expression]
    """each is found in a right fix"""
    never: list[Expression]
    """none is found in a fix, since it would do harm"""


class Entry(Strict):
    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    text: Words
    source: Annotated[str, Field(pattern=r"^(provoked|https://\S+)$")]
    service: Literal["madansara", "sankore", "onside", "langflow"] | None
    cause: Words | None = None
    causes: list[Words] = []
    ours: bool
    fix: Fix
    confident: bool

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.cause is None) == (not self.causes) or len(self.causes) == 1:
            raise ValueError("has either one cause or several causes")
        if self.causes and self.confident:
            raise ValueError("nobody can be sure of one of several causes")
        if self.ours != (self.fix.kind != "none") or self.ours != bool(self.fix.says):
            raise ValueError("has a fix if it is ours, and none otherwise")
        return self


def read(file: Path) -> list[Entry]:
    """Raises pydantic.ValidationError."""
    return TypeAdapter(list[Entry]).validate_python(YAML(typ="safe", pure=True).load(file.read_text()))
