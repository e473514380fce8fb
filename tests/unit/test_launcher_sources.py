"""Which engine and which Go are chosen of those that a machine has."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from semver import Version

from launcher import build, install
from launcher.engine import TO_STAND_INS, Engine
from launcher.paths import GO_MODULE, PROJECT

Put = Callable[[str, str], Path]
Choose = Callable[..., Engine]
GO = build.required()


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Puts a command that says something on a PATH with little else."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")

    def put(name: str, says: str) -> Path:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\necho '{says}'\n")
        path.chmod(0o755)
        return path

    return put


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Choose:
    """What is obtained where these routes lead somewhere, and the plugins are the vendor's or not."""

    def choose(*ways: str, official: bool = False) -> Engine:
        for way in ("on_path", "installed", "built"):
            monkeypatch.setattr(install, way, lambda way=way: Path(way) if way in ways else None)
        monkeypatch.setattr(install, "version_of", lambda _: Version(3, 999))
        monkeypatch.setattr(install, "official", lambda *_: official)
        monkeypatch.setattr(install, "remember", lambda _: None)
        return install.engine()

    return choose


def test_users_own_engine_comes_first_and_stays_as_it_is(choose: Choose) -> None:
    engine = choose("on_path", "installed", "built", official=True)
    assert (engine.binary, engine.version, engine.official) == ("on_path", "3.999.0", True)
    assert engine.environment == {"PULUMI_SKIP_UPDATE_CHECK": "true", "ENGARDE_PROJECT": str(PROJECT)}


def test_vendors_installation_comes_before_a_build(choose: Choose) -> None:
    assert choose("installed", "built").binary == "installed"
    assert choose("built").binary == "built"


def test_engine_of_ours_takes_no_language_host_from_path(choose: Choose) -> None:
    assert choose("built").environment["PULUMI_IGNORE_AMBIENT_PLUGINS"] == "true"


def test_import_writes_code_only_where_all_it_needs_is_there(choose: Choose) -> None:
    option = "PULUMI_OPTION_GENERATE_CODE"
    assert option not in choose("on_path", official=True).environment
    assert option not in choose("installed", official=True).environment
    assert choose("built", official=True).environment[option] == "false"
    assert choose("on_path", official=False).environment[option] == "false"


def test_a_run_is_led_to_stand_ins_only_where_they_serve(choose: Choose) -> None:
    assert choose("on_path", official=False).environment.items() >= TO_STAND_INS.items()
    assert not choose("installed", official=True).environment.keys() & TO_STAND_INS.keys()


@pytest.mark.parametrize("version", [f"v{install.PINNED}", "v3.300.1", "4.0.0"])
def test_engine_on_path_serves(put: Put, version: str) -> None:
    put("pulumi-language-python", "")
    ours = put("pulumi", version)
    assert install.on_path() == ours


@pytest.mark.parametrize("version", ["v3.255.9", "v2.999.0", f"v{install.PINNED}-alpha.1", "no version at all"])
def test_engine_on_path_that_is_too_old_is_left_alone(put: Put, version: str) -> None:
    put("pulumi-language-python", "")
    put("pulumi", version)
    assert install.on_path() is None


def test_engine_on_path_without_language_host_is_left_alone(put: Put) -> None:
    put("pulumi", "v3.300.0")
    assert install.on_path() is None


@pytest.mark.usefixtures("put")
def test_no_engine_on_path() -> None:
    assert install.on_path() is None


def test_installer_is_not_tried_where_it_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "reachable", lambda: frozenset({install.GITHUB}))
    monkeypatch.setattr(install, "kept", lambda *_: pytest.fail("tried"))
    assert install.installed() is None


@pytest.fixture
def reachable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(install, "reachable", lambda: frozenset({install.VENDOR}))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.mark.usefixtures("reachable")
def test_installation_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    installer = "import sys, pathlib; pathlib.Path(sys.argv[1], 'bin/pulumi').mkdir(parents=True)"
    monkeypatch.setattr(install, "INSTALL", installer)
    first = install.installed()
    assert first
    assert first.exists()
    monkeypatch.setattr(install, "INSTALL", "raise SystemError")
    assert install.installed() == first


@pytest.mark.usefixtures("reachable")
def test_failed_installation_leads_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(install, "INSTALL", "raise SystemError('no such download')")
    assert install.installed() is None
    assert "failed: SystemError: no such download" in capsys.readouterr().err


@pytest.mark.usefixtures("reachable")
def test_installation_that_hangs_leads_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "INSTALL", "import time; time.sleep(60)")
    monkeypatch.setattr(install, "PATIENCE", 0.5)
    assert install.installed() is None


@pytest.mark.parametrize(
    ("says", "serves"),
    [
        (f"go{GO}", True),
        (f"go{GO.major}.{GO.minor + 1}", True),
        (f"go{GO.major}.{GO.minor + 1}.2 X:experiment", True),
        (f"go{GO.major}.{GO.minor - 1}.99", False),
        (f"go{GO.major}.{GO.minor}", False),
        ("devel", False),
    ],
)
def test_go_on_path_serves_where_it_is_new_enough(
    put: Put, monkeypatch: pytest.MonkeyPatch, says: str, serves: bool
) -> None:
    monkeypatch.setattr(build, "kept", lambda name, _, within: within / name)
    on_path = put("go", says)
    assert build.go(Path("work")) == (on_path if serves else Path("work", build.GO_PACKAGE, "go/bin/go"))


def test_registrys_go_is_new_enough() -> None:
    assert Version.parse(build.GO_PACKAGE.partition("==")[2]) >= GO


def test_engine_is_built_in_the_version_of_the_sdk() -> None:
    module = (GO_MODULE / "go.mod").read_text()
    assert re.findall(r"^require github.com/pulumi/pulumi/pkg/v3 v(.*)$", module, re.MULTILINE) == [install.PINNED]
