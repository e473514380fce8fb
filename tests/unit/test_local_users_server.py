"""ENGARDE_POSTGRES_URL: what it may say, and what it may not change."""

import os

import pytest

from devtools.local import database, state
from devtools.local.state import Admin
from engarde.errors import Refused

URL = "postgresql://me:p%40ss@db.example.org:6666/mine?sslmode=require"
SERVER = Admin(False, "db.example.org", 6666, "me", "p@ss", database="mine", sslmode="require")
EMBEDDED = Admin(True, "127.0.0.1", 5555, "postgres", "secret")


def test_its_parts() -> None:
    assert database.parse(URL) == SERVER
    assert database.parse("postgres://me:p@db.example.org/mine").port == 5432


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://me:hidden@db.example.org/mine", "must be of the form postgresql://"),
        ("postgresql://me:hidden@db.example.org:port/mine", "must be of the form"),
        ("postgresql://me:hidden@[db.example.org/mine", "must be of the form"),
        ("postgresql://me:hidden@db.example.org", "lacks dbname"),
        ("postgresql://db.example.org/hidden", "lacks password, user"),
        ("postgresql://me:hidden@db.example.org/mine?options=-c%20a%3Db", "has options"),
        ("postgresql://me:hidden@db.example.org,b.example.org/mine", "one host"),
        ("postgresql://me:hidden@%2Frun/mine", "one host"),
    ],
)
def test_anything_else_is_refused_without_a_word_of_it(url: str, says: str) -> None:
    with pytest.raises(Refused, match=says) as refusal:
        database.parse(url)
    assert "hidden" not in str(refusal.value)


def test_no_password_stands_in_what_is_printed() -> None:
    assert "p@ss" not in f"{SERVER} {SERVER!r}"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What the run finds: the server of the last run, and whether the state holds anything there."""
    found: dict[str, object] = {"before": None, "holds": False}
    monkeypatch.delenv(database.VARIABLE, raising=False)
    monkeypatch.setattr(database, "remembered", lambda: found["before"])
    monkeypatch.setattr(state, "holds_resources", lambda: found["holds"])
    monkeypatch.setattr(database, "with_rights", lambda admin: admin)
    return found


def test_without_the_variable_the_embedded_server_serves(told: dict[str, object]) -> None:
    assert database.users_server() is None
    told |= {"before": EMBEDDED, "holds": True}
    assert database.users_server() is None


def test_the_variable_is_remembered(told: dict[str, object]) -> None:
    told |= {"before": SERVER, "holds": True}
    assert database.users_server() == SERVER


def test_the_variable_reaches_no_child(told: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(database.VARIABLE, URL)
    assert database.users_server() == SERVER
    assert database.VARIABLE not in os.environ


@pytest.mark.parametrize("before", [EMBEDDED, database.parse("postgresql://me:x@db.example.org:1/mine")])
def test_a_state_with_resources_elsewhere_is_not_led_astray(
    told: dict[str, object], monkeypatch: pytest.MonkeyPatch, before: Admin
) -> None:
    told |= {"before": before, "holds": True}
    monkeypatch.setenv(database.VARIABLE, URL)
    with pytest.raises(Refused, match=r"bin/pulumi destroy"):
        database.users_server()
    told["holds"] = False
    monkeypatch.setenv(database.VARIABLE, URL)
    assert database.users_server() == SERVER


def test_another_login_at_the_same_server_is_no_other_server(
    told: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    told |= {"before": SERVER, "holds": True}
    monkeypatch.setenv(database.VARIABLE, URL.replace("me:p%40ss", "you:other"))
    chosen = database.users_server()
    assert chosen
    assert (chosen.user, chosen.password) == ("you", "other")
