"""Property values as plain Python."""

import pytest
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime.rpc import UNKNOWN

from devtools.provider_stubs.values import Properties, plain, plain_map, wrapped, wrapped_map


@pytest.mark.parametrize("value", [None, True, "text", 3, 2.5, ["a", None], {"a": [1], "b": {}}])
def test_a_value_survives_the_way_out_and_back(value: object) -> None:
    assert plain(wrapped(value)) == value  # type: ignore[arg-type]


def test_whole_numbers_are_int_and_secrets_lose_their_mark() -> None:
    assert plain(PropertyValue(3.0)) == 3
    assert isinstance(plain(PropertyValue(3.0)), int)
    assert plain_map({"a": PropertyValue("x", is_secret=True)}) == {"a": "x"}


def test_only_the_named_properties_are_marked_secret() -> None:
    marked = wrapped_map({"password": "x", "passwordWo": None, "name": "y"}, frozenset({"password", "passwordWo"}))
    assert {name for name, value in marked.items() if value.is_secret} == {"password", "passwordWo"}


def test_what_is_unset_or_unknown_reads_as_zero() -> None:
    properties = Properties({"a": None, "b": UNKNOWN, "c": 5})
    assert (properties.text("a"), properties.text("b"), properties.text("none")) == ("", "", "")
    assert (properties.number("a"), properties.number("c")) == (0, 5)
    assert properties.flag("a") is False
    assert properties.listed("b") == []


def test_a_set_is_ordered_by_hash_as_the_official_ids_have_it() -> None:
    assert Properties({"objects": ["users", "brand_users"]}).hashed("objects") == ["brand_users", "users"]
    assert Properties({"columns": ["email", "id", "id"]}).hashed("columns") == ["id", "email"]
    assert Properties({"columns": ["email", "id"]}).listed("columns") == ["email", "id"]
