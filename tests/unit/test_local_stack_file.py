"""Pulumi.local.yaml: what is derived, what is rewritten, what stays as the user wrote it."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from devtools.local import stack_file, state
from devtools.local.state import Admin
from engarde.errors import ConfigError

PRODUCTION = """\
# How to bring up production.
config:
  engarde:server:
    # host: HOST
    host: db.example.com
    port: 7777
    database: railway
    user: owner
    sslmode: require
    protect: true
    connectionBudget: 90
  # Where services go.
  engarde:serviceAddress:
    host: db.internal
  engarde:unpooledAddress:
    host: direct.internal
  engarde:railway:
    project: engarde
    environment: production
  engarde:adminPassword:
    secure: v1:of-production
  engarde:services:
    a:
      railway:
        service: a-web
        variables:
          DIRECT_URL:
            unpooled: true
      adopt: true
      protect: true
      reads:
        - public.users  # declared
    'on':
  # Not ours.
  engarde:existingSchemas:
    public:
      creators:
        - owner
    other:
      creators: [somebody]
encryptionsalt: v1:of-production
"""
EMBEDDED = Admin(True, "127.0.0.1", 5555, "postgres", "secret")
USERS = Admin(False, "db.example.org", 6666, "me", "secret", database="mine", sslmode="require", superuser=False)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    production = tmp_path / "Pulumi.prod.yaml"
    production.write_text(PRODUCTION)
    local = tmp_path / "Pulumi.local.yaml"
    monkeypatch.setattr(stack_file, "MODEL", production)
    monkeypatch.setattr(stack_file, "FILE", local)
    monkeypatch.setattr(state, "STACK_FILE", local)
    monkeypatch.setattr(state, "PRIVATE", tmp_path / ".engarde")
    return local


def test_services_and_schemas_are_productions_and_the_server_is_ours(file: Path) -> None:
    stack_file.write_for(EMBEDDED, None)
    assert file.read_text() == (
        "# Derived from Pulumi.prod.yaml by `make up`; yours to edit.\n"
        "# `make up` rewrites the server's address alone, `make clean` removes the file.\n"
        """\
config:
  engarde:server:
    database: railway
    connectionBudget: 90
    host: 127.0.0.1
    port: 5555
    user: postgres
    superuser: true
  engarde:services:
    a:
      reads:
        - public.users  # declared
    'on':
  # Not ours.
  engarde:existingSchemas:
    public:
      creators:
        - postgres
    other:
      creators: [somebody]
"""
    )


def test_what_production_has_on_other_servers_is_in_the_shared_database(file: Path) -> None:
    own = """\
  engarde:adminPasswords:
    c:
      secure: v1:of-another
  engarde:databases:
    c:
      host: another.example.com
  engarde:extensions:
    vector:
      databases: [c, own]
  engarde:services:
    c:
      database: c
    d:
      database: own
"""
    production = file.with_name("Pulumi.prod.yaml")
    text = production.read_text()
    services = text.index("  engarde:services:")
    production.write_text(text[:services] + own + text[text.index("  # Not ours.") :])
    stack_file.write_for(EMBEDDED, None)
    config = YAML(typ="safe").load(file.read_text())["config"]
    assert config["engarde:services"] == {"c": {}, "d": {"database": "own"}}
    assert config["engarde:extensions"] == {"vector": {"databases": ["railway", "own"]}}
    assert not {"engarde:databases", "engarde:adminPasswords"} & config.keys()


def test_a_server_of_the_users_is_named_in_full(file: Path) -> None:
    stack_file.write_for(USERS, None)
    text = file.read_text()
    for line in ("host: db.example.org", "port: 6666", "database: mine", "user: me", "sslmode: require", "- me"):
        assert f" {line}\n" in text
    assert "superuser: false" in text


def test_the_password_never_stands_in_it(file: Path) -> None:
    stack_file.write_for(USERS, None)
    assert "secret" not in file.read_text()


def test_again_nothing_is_written(file: Path) -> None:
    stack_file.write_for(EMBEDDED, None)
    os.utime(file, (1, 1))
    stack_file.write_for(EMBEDDED, EMBEDDED)
    assert file.stat().st_mtime == 1


def test_another_port_changes_that_line_alone(file: Path) -> None:
    stack_file.write_for(EMBEDDED, None)
    edited = file.read_text().replace("    'on':\n", "    # mine\n    'on':\n      connectionLimit: 7\n")
    edited = edited.replace("user: postgres", "user: postgres\n    sslmode: disable")
    file.write_text(edited)
    stack_file.write_for(replace(EMBEDDED, port=5556), EMBEDDED)
    assert f"{EMBEDDED.host}:5555/" in file.read_text(), "what is left behind is named for this one run"
    stack_file.settle()
    assert file.read_text() == edited.replace("5555", "5556")


def test_a_port_that_somebody_changed_is_put_right_and_nothing_is_left(file: Path) -> None:
    stack_file.write_for(EMBEDDED, None)
    derived = file.read_text()
    file.write_text(derived.replace("5555", "1"))
    stack_file.write_for(EMBEDDED, EMBEDDED)
    assert file.read_text() == derived


def test_another_server_is_named_in_full(file: Path) -> None:
    stack_file.write_for(USERS, None)
    stack_file.write_for(EMBEDDED, USERS)
    text = file.read_text()
    assert "sslmode" not in text
    assert "user: postgres" in text
    assert "superuser: true" in text


def test_an_empty_file_is_what_a_killed_engine_leaves_and_is_made_anew(file: Path) -> None:
    file.write_text("\n")
    stack_file.write_for(EMBEDDED, EMBEDDED)
    assert "user: postgres" in file.read_text()


def test_what_a_lost_passphrase_encrypted_is_taken_out(file: Path) -> None:
    stack_file.write_for(EMBEDDED, None)
    unsealed = file.read_text()
    file.write_text(unsealed + "  engarde:adminPassword:\n    secure: v1:x\nencryptionsalt: v1:y\n")
    assert stack_file.is_sealed()
    stack_file.unseal()
    assert not stack_file.is_sealed()
    assert file.read_text() == unsealed


@pytest.mark.parametrize("text", ["config: [", "services:\n", "config: 1\n", "a: 1\na: 2\n"])
def test_what_is_no_stack_file_is_a_message_and_stays(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"Pulumi\.local\.yaml"):
        stack_file.write_for(EMBEDDED, EMBEDDED)
    assert file.read_text() == text


def test_a_server_that_is_no_map_is_left_to_the_check_of_the_whole_stack(file: Path) -> None:
    file.write_text("config:\n  engarde:server: here\n")
    stack_file.write_for(EMBEDDED, EMBEDDED)
    assert file.read_text() == "config:\n  engarde:server: here\n"


def test_a_derived_file_is_known_as_ours_and_another_is_not(file: Path) -> None:
    assert not state.is_derived()
    stack_file.write_for(EMBEDDED, None)
    assert state.is_derived()
    file.write_text(PRODUCTION)
    assert not state.is_derived()


def test_what_a_demo_needs_is_added_and_what_is_there_stays(file: Path) -> None:
    stack_file.write_for(EMBEDDED, None)
    before = file.read_text()
    wanted = {name: {"migrations": {"path": f"examples/{name}"}} for name in ("a", "on")}
    stack_file.declare(wanted, ["citext"])
    added = "".join(f"      migrations:\n        path: examples/{name}\n" for name in ("a", "on"))
    lines = [
        line for line in file.read_text().splitlines(keepends=True) if line not in before.splitlines(keepends=True)
    ]
    assert "".join(lines) == f"{added}  engarde:extensions:\n    citext: {{}}\n"
    once = file.read_text()
    stack_file.declare({"a": {"migrations": {"path": "elsewhere"}}}, ["citext"])
    assert file.read_text() == once
