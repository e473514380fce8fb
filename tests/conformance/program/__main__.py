"""Builds the resources that `program.json` beside this file lists, on the server that it names."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pulumi_postgresql
import pulumi_random

PACKAGES = {"postgresql": pulumi_postgresql, "random": pulumi_random}

made: dict[str, pulumi.CustomResource] = {}


def resolved(value: Any) -> Any:
    """The value with every reference replaced by the output it names."""
    if isinstance(value, list):
        return [resolved(each) for each in value]
    if isinstance(value, dict) and set(value) == {"ref"}:
        name, output = value["ref"].split(".")
        return getattr(made[name], output)
    return value


program = json.loads(Path(__file__).with_name("program.json").read_text())
server = pulumi_postgresql.Provider("server", **program["server"])
for each in program["resources"]:
    package, kind = each["type"].split(":")
    made[each["name"]] = getattr(PACKAGES[package], kind)(
        each["name"],
        **{name: resolved(value) for name, value in each["props"].items()},
        opts=pulumi.ResourceOptions(
            provider=server if package == "postgresql" else None,
            depends_on=[made[name] for name in each["after"]],
        ),
    )
