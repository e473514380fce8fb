"""What the imports of the house are held to."""

import pytest

from devtools.ci.structure import circles, layers, loose, main, room, upwards

LAYERS = [{"top"}, {"left", "right"}, {"bottom"}]


def test_the_house_is_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0, capsys.readouterr().out
    assert "no import leads upwards" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("engarde", None),
        ("engarde.errors", "engarde.errors"),
        ("engarde.doctor.causes.logins", "engarde.doctor"),
        ("devtools.local.up", "devtools"),
    ],
)
def test_rooms(module: str, expected: str | None) -> None:
    assert room(module) == expected


@pytest.mark.parametrize(
    ("arrow", "said"),
    [
        (("top", "bottom"), []),
        (("bottom", "top"), ["upwards: bottom imports top"]),
        (("left", "right"), ["upwards: left imports right"]),
        (("top", "cellar"), ["no layer: cellar"]),
    ],
)
def test_arrows_lead_downwards(arrow: tuple[str, str], said: list[str]) -> None:
    assert upwards([arrow], LAYERS) == said


def test_circles_are_named() -> None:
    assert circles("rooms", {"a": ["b"], "b": ["c"]}) == []
    (said,) = circles("rooms", {"a": ["b"], "b": ["a"]})
    assert said.startswith("circle of rooms: ") and "a is imported by b" in said


def test_engarde_holds_packages_and_its_errors() -> None:
    assert loose(["engarde.errors", "engarde.server", "launcher"]) == []


def test_every_layer_is_read_from_the_linters_contract() -> None:
    assert {"components", "engarde.cli"} in layers()
    assert layers()[-1] == {"engarde.errors"}
