"""The stack before and after a move, what of it is written, and what is kept of a move."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from engarde.checks import journals
from engarde.checks.journals import MoveJournal, Step
from engarde.declaration.loader import parse
from engarde.declaration.model import Stack
from engarde.errors import ConfigError, Refused
from engarde.server.functions import Extension
from engarde.split.inspect import Contents, Occupied, Target, TargetServer
from engarde.split.move import changes, move
from engarde.split.plan import of_target, plan

SECRET = {"secure": "v1:cipher"}


def stack(**services: object) -> Stack:
    values: dict[str, object] = {
        "server": {"host": "db.example", "database": "railway"},
        "services": {"a": None, "b": {"database": "bs"}, "c": {"database": "there"}, **services},
        "databases": {"there": {"host": "other.example"}},
        "extensions": {
            "citext": None,
            "vector": {"databases": ["railway", "bs"]},
            "hstore": {"databases": ["bs"]},
        },
        "adminPassword": SECRET,
        "adminPasswords": {"there": SECRET},
    }
    return parse("local", values, ["adminPassword"])


def extensions(of: Stack) -> dict[str, tuple[str, ...] | None]:
    return {extension.name: extension.databases for extension in of.extensions}


def test_out_and_back_is_the_same_stack() -> None:
    before = stack()
    out = move(before, "a", None, "own", ["citext", "vector"])
    assert out.before == before
    assert out.moved.database == out.new.server.database == "own"
    assert out.old.server.database == "railway"
    assert extensions(out.after)["citext"] == ("railway", "own")
    assert extensions(out.after)["vector"] == ("railway", "bs", "own")
    assert not out.other_server
    # Whichever end the stack file is at, and whichever way it goes.
    assert move(out.after, "a", None, "own", ["citext", "vector"]) == out
    returning = move(out.after, "a", "own", None, ["citext", "vector"])
    assert (returning.before, returning.after) == (out.after, before)


def test_an_extension_is_in_no_database_that_no_service_names() -> None:
    out = move(stack(), "b", "bs", "own", ["vector"])
    assert extensions(out.after) == {"citext": None, "vector": ("railway", "own"), "hstore": ("own",)}


def test_another_server_has_a_role_of_its_own() -> None:
    assert move(stack(), "a", None, "there", []).other_server
    assert move(stack(), "c", "there", None, []).other_server
    assert not move(stack(), "b", "bs", "own", []).other_server


def test_what_is_written() -> None:
    out = move(stack(), "a", None, "own", ["citext"])
    assert [str(change) for change in changes(out.before, out.after)] == [
        "engarde:services:\n  a: {database: own}",
        "engarde:extensions:\n  citext:\n    databases: [railway, own]",
    ]
    assert [str(change) for change in changes(out.after, out.before)] == [
        "without engarde:services.a.database",
        "without engarde:extensions.citext.databases",
    ]


def test_a_url_is_refused_with_what_to_declare_and_without_its_password() -> None:
    with pytest.raises(ConfigError) as refusal:
        plan(stack(), "a", "postgresql://root:Pl4nted%40Pass@new.example:6000/things", None, print)
    said = str(refusal.value)
    assert "Pl4nted" not in said
    assert "{host: new.example, port: 6000, database: things, user: root}" in said
    assert "config set --secret --path 'adminPasswords[\"a\"]'" in said


@pytest.mark.parametrize(
    ("service", "to", "why"),
    [
        ("a", "railway", "is the shared database"),
        ("a", "template1", "one of the server's own"),
        ("a", "x%y", "holds %"),
        ("a", "", "empty"),
        ("b", "bs", "already"),
        ("nobody", "own", "no service"),
    ],
)
def test_names_that_are_refused_without_asking_anybody(service: str, to: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        plan(stack(), service, to, None, print)


def test_what_is_kept_of_a_move(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(journals, "PRIVATE", tmp_path)
    begun = MoveJournal("a/b", None, "own", False, Step.COPIED, "folder", ("citext",), made_database=True)
    assert journals.read_move("local", "a/b") is None
    journals.write_move("local", begun)
    assert journals.read_move("local", "a/b") == begun
    assert begun.way == (None, "own")
    [file] = [each for each in (tmp_path / "split.local").iterdir() if each.is_file()]
    file.write_text("torn")
    with pytest.raises(Refused, match="Repair the file or remove it"):
        journals.read_move("local", "a/b")
    journals.forget_move("local", "a/b")
    assert journals.read_move("local", "a/b") is None


def test_no_extension_is_made_where_the_service_could_put_something_in_its_way() -> None:
    way = move(stack(), "a", None, "own", ["citext"])
    server = SimpleNamespace(major=17, may_create=True, owns=True, encoding=None, role_there=False)
    source = SimpleNamespace(major=17, encoding="UTF8", collate="C", ctype="C", provider="c", locale=None)
    target = Target(cast(TargetServer, server), frozenset({"citext"}))

    def obstacles(schema: str) -> list[str]:
        extension = Extension("citext", schema, "1.6")
        found = SimpleNamespace(schema="a", source=source, extensions=(extension,), needs=())
        return list(of_target(way, cast(Contents, found), target))

    assert obstacles("public") == []
    [obstacle] = obstacles("a")
    assert "extension citext is in schema a, which belongs to the service" in obstacle
    assert 'ALTER EXTENSION "citext" SET SCHEMA public;' in obstacle


def test_nothing_is_moved_to_where_rows_are_on_several_servers() -> None:
    server = TargetServer(major=17, may_create=True, encoding="UTF8", owns=True, role_there=False)
    source = SimpleNamespace(major=17, encoding="UTF8")
    found = SimpleNamespace(schema="a", source=source, extensions=(), needs=())
    target = Target(server, frozenset(), (Extension("citus", "pg_catalog", "14.0-1"),), Occupied(None, 0, 0, [], []))
    [said] = of_target(move(stack(), "a", None, "own", []), cast(Contents, found), target)
    assert "database own has the extension citus, so a copy cannot be loaded there" in said
