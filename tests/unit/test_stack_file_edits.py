"""Lines and commands for a stack file, whatever names stand in it."""

from __future__ import annotations

import shlex

import pytest
from ruamel.yaml import YAML

from engarde.declaration.stack_file import lines, set_key

NAMES = ["plain", "field-notes", "a.b", 'quo"te', "O'Brien $1", "on", "1", "100% 數據 ::x", "back\\slash", "- x: #"]


@pytest.mark.parametrize("name", NAMES)
def test_lines_are_read_back_as_they_were_meant(name: str) -> None:
    content = {name: {"connectionLimit": 3, "schemas": {name: ["USAGE", "CREATE"]}, "version": "1.0"}, f"{name}2": None}
    assert YAML(typ="safe").load(lines("services", content)) == {"engarde:services": content}


def test_a_command_names_the_key_as_the_engine_reads_it() -> None:
    def key(*path: str) -> str:
        command = set_key("prod", "services", path, "true")
        assert command is not None
        *words, key, value, stack, name = shlex.split(command)
        assert (words, value, stack, name) == (["bin/pulumi", "config", "set", "--path"], "true", "--stack", "prod")
        return key

    assert key("sankore", "adopt") == "engarde:services.sankore.adopt"
    assert key("field-notes", "adopt") == 'engarde:services["field-notes"].adopt'
    assert key('quo"te', "adopt") == 'engarde:services["quo\\"te"].adopt'
    assert key("1st", "adopt") == 'engarde:services["1st"].adopt'


def test_a_name_that_ends_where_the_engine_sees_no_end() -> None:
    assert set_key("prod", "services", ("back\\", "adopt"), "true") is None
