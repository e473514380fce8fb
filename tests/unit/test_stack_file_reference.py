"""The reference of the stack file has the keys and the defaults of the models, whose docstrings say what is allowed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from engarde.declaration.address import Address, Elsewhere, Railway, SharedServer
from engarde.declaration.declared import Declared, StatusThresholds
from engarde.declaration.loader import SECTIONS
from engarde.declaration.model import Accepted, Analytics, ExistingSchema, Extension, OutsideRole, Service

PAGE = Path(__file__).parents[2].joinpath("docs/stack-file.md").read_text()
MODELS: dict[str, type[Declared]] = {
    "server": SharedServer,
    "serviceAddress": Address,
    "services": Service,
    "databases": Elsewhere,
    "existingSchemas": ExistingSchema,
    "analytics": Analytics,
    "extensions": Extension,
    "outsideRoles": OutsideRole,
    "railway": Railway,
    "status": StatusThresholds,
    "accepted": Accepted,
}
ROW = re.compile(r"^\| (`[^|]*) \| ([^|]*) \|", re.MULTILINE)
LITERAL = re.compile(r"\d+|true|false|required")


def section(name: str) -> str:
    """What the page says under the heading of a section, up to the next one."""
    [text] = re.findall(rf"^## `engarde:{name}`.*?(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    return str(text)


def keys(model: type[Declared]) -> dict[str, FieldInfo]:
    return {str(field.alias): field for name, field in model.model_fields.items() if name != "name"}


def default(field: FieldInfo) -> str:
    """A field's default as the page writes it; the words for one that depends on other keys are free."""
    if field.is_required():
        return "required"
    value: Any = field.default
    return str(value).lower() if isinstance(value, bool | int) else ""


@pytest.mark.parametrize("name", MODELS)
def test_the_page_has_every_key_of_a_section(name: str) -> None:
    model = MODELS[name]
    known = keys(model)
    if model is Analytics:
        assert "the keys of a service except `schema` and `reads`" in section(name)
        common = keys(Service)
        known = {key: field for key, field in known.items() if default(field) != default(common.get(key, field))}
        known["schemas"] = keys(model)["schemas"]
    assert [key for key in known if f"`{key}`" not in section(name)] == []


@pytest.mark.parametrize("name", ["server", "serviceAddress", "services", "databases", "existingSchemas"])
def test_the_table_of_a_section_has_the_models_keys_and_defaults(name: str) -> None:
    table = section(name).partition("| key | default | what |")[2].partition("\n\n")[0]
    rows = {key: stated for row, stated in ROW.findall(table) for key in re.findall(r"`(\w+)`", row)}
    known = keys(MODELS[name])
    assert rows.keys() == known.keys()
    if name != "databases":  # its keys have those of `server`
        found = {key: stated if LITERAL.fullmatch(stated) else "" for key, stated in rows.items()}
        # What one key takes from others is stated in words, and so is an admin's name.
        in_words = {"schema", "creators", "protect"}
        assert {key: stated for key, stated in found.items() if key not in in_words} == {
            key: default(field) for key, field in known.items() if key not in in_words
        }


def test_the_page_and_the_models_have_every_section() -> None:
    assert {*SECTIONS} - MODELS.keys() == {"unpooledAddress", "shutOut"}
    for name in SECTIONS:
        assert section(name)


@pytest.mark.parametrize("model", MODELS.values())
def test_every_key_has_the_words_of_its_faults(model: type[Declared]) -> None:
    undocumented = [key for key, field in keys(model).items() if not field.description]
    assert undocumented == (["check"] if model is Accepted else [])
