"""What is read of a state, and what is not: anything secret."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

from engarde.pulumi_cli.state import GRANT, PASSWORD, ROLE, TENANT, Granted, Pending, state

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:c1pher"}
TYPE = "urn:pulumi:prod::engarde::engarde:index:ServiceTenant"


def resource(type_: str, name: str, /, **outputs: Any) -> dict[str, Any]:
    return {"urn": f"{TYPE}${type_}::{name}", "type": type_, "outputs": outputs, "inputs": {"password": "inp1t"}}


EXPORTED: dict[str, Any] = {
    "resources": [
        {"urn": "urn:x::y::pulumi:pulumi:Stack::s", "type": "pulumi:pulumi:Stack", "outputs": {"passwords": SECRET}},
        {"urn": f"{TYPE}::a", "type": TENANT, "outputs": {"released": ["a-reads-b.gone"]}},
        resource(ROLE, "a-role", name="a_user", password=SECRET),
        resource(ROLE, "odd::name-role", name=SECRET),
        resource(GRANT, "a-reads-b.t", role="a_user", schema="b", objects=["t"], objectType="table"),
        resource(GRANT, "a-executes-b.f()", role="a_user", schema="b", objects=["f()"], objectType="function"),
        resource(GRANT, "a-connect", role="a_user", schema=None, objects=None),
        resource(PASSWORD, "a-password", keepers={"rotation": "3"}, result=SECRET),
        resource(PASSWORD, "a-password", keepers={"rotation": "2"}, result=SECRET) | {"delete": True},
        {"urn": f"{TYPE}$pulumi:providers:postgresql::p", "type": "pulumi:providers:postgresql", "inputs": {}},
    ],
    "pending_operations": [
        {"type": "creating", "resource": {"urn": f"{TYPE}::b-role", "inputs": {"password": "inp1t"}}}
    ],
}


def test_the_state_as_values() -> None:
    with patch("engarde.pulumi_cli.state._engine", return_value=json.dumps({"version": 3, "deployment": EXPORTED})):
        found = state("prod")
    assert found.made(ROLE) == {"a_user"}
    assert [each.name for each in found.resources if each.type == ROLE] == ["a-role", "odd::name-role"]
    assert [each.granted for each in found.resources if each.granted] == [
        Granted("a_user", "b", ("t",)),
        Granted("a_user", "b", ()),
        Granted("a_user", None, ()),
    ]
    assert [each.released for each in found.resources if each.released] == [{"a-reads-b.gone"}]
    assert [each.rotation for each in found.resources if each.type == PASSWORD] == [3, None]
    assert found.pending == (Pending("creating", "b-role"),)
    assert found.outputs == {"passwords"}
    for secret in ("c1pher", "inp1t", "1b47061264138c4ac30d75fd1eb44270"):
        assert secret not in repr(found)


def test_before_the_first_run() -> None:
    with patch("engarde.pulumi_cli.state._engine", return_value='{"version": 3, "deployment": {"manifest": {}}}'):
        assert state("prod").resources == ()
