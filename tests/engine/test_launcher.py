"""`bin/pulumi` of a fresh clone: the real engine, run by hand on a small program without resources."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engarde.util.processes import command_of
from engarde.util.provider_sessions import pgoptions
from launcher.engine import Engine, found
from launcher.paths import PROJECT, pulumi_home

Run = Callable[..., "subprocess.CompletedProcess[str]"]
LIMIT = 120
"""Of one command (seconds)."""

SECRET = "only-the-engine-may-say-this"
PROGRAM = """
import os, time
import beside
import pulumi

config = pulumi.Config()
match config.get("mode"):
    case "stated":
        raise pulumi.RunError("one fault\\nanother fault")
    case "bug":
        beside.fault()
    case "apply":
        pulumi.Output.from_input(None).apply(lambda _: beside.fault())
    case "sleep":
        beside.say(os.getpid())
        time.sleep(300)
pulumi.export("secret", config.require_secret("secret"))
pulumi.export("stack", pulumi.get_stack())
pulumi.export("pgoptions", os.environ.get("PGOPTIONS"))
"""
BESIDE = """
from pathlib import Path

def fault():
    raise ValueError("broken")

def say(pid):
    Path(__file__).with_name("pid").write_text(str(pid))
"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    return found()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the launcher with a program of its own, as `make up` leaves it before the first `up`."""
    folder = tmp_path_factory.mktemp("clone")
    for each in ("bin", "engarde", "launcher", "devtools"):
        shutil.copytree(PROJECT / each, folder / each, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "Pulumi.yaml").write_text("name: engarde\nruntime: {name: python, options: {virtualenv: .venv}}\n")
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / "beside.py").write_text(BESIDE)
    (folder / ".engarde").mkdir()
    (folder / ".engarde/passphrase").write_text("of the tests")
    stand_ins = "from devtools.local.up import install_stand_ins; install_stand_ins()"
    subprocess.run([sys.executable, "-c", stand_ins], cwd=folder, check=True)
    run = runner(folder)
    run("stack", "init", "local", "--no-select")
    run("config", "set", "--stack", "local", "--secret", "secret", given=SECRET)
    run("up", "--yes", "--skip-preview", *in_mode("fine"))
    return folder


@pytest.fixture
def run(clone: Path) -> Run:
    return runner(clone)


def runner(clone: Path) -> Run:
    def run(
        *words: str, fails: bool = False, cwd: Path = clone, given: str = "", **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [clone / "bin/pulumi", *words],
            cwd=cwd,
            env=users_own(clone) | environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )
        assert bool(done.returncode) == fails, done.stdout + done.stderr
        return done

    return run


def users_own(clone: Path) -> dict[str, str]:
    """An operator's environment that names no other stack, and an engine's folder that is nobody else's."""
    named = ("PULUMI_STACK", "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
    home = pulumi_home() if found().official else clone / "home"
    return {name: value for name, value in os.environ.items() if name not in named} | {"PULUMI_HOME": str(home)}


def in_mode(mode: str) -> tuple[str, ...]:
    return "--stack", "local", "--config", f"mode={mode}"


def test_engine_is_the_one_that_was_found(run: Run, engine: Engine) -> None:
    assert run("version").stdout.strip() == f"v{engine.version}"


def test_the_stack_that_was_selected_last_counts(run: Run, clone: Path, tmp_path: Path) -> None:
    there = {"PULUMI_BACKEND_URL": f"file://{tmp_path}", "PULUMI_CONFIG_PASSPHRASE": "of another stack"}

    def selected() -> str:
        return run("stack", "--show-name", **there).stdout.strip()

    run("stack", "init", "prod", "--no-select", **there)
    run("stack", "select", "local", **there)
    run("stack", "select", "nowhere", fails=True, **there)
    assert selected() == "local"
    run("stack", "select", "prod", **there)
    assert selected() == "prod"
    run("stack", "select", "local", **there)
    assert selected() == "local"
    run("stack", "init", "staging", **there)
    assert selected() == "staging"
    for stack in ("prod", "staging"):
        run("stack", "rm", "--yes", stack, **there)


def test_a_folder_that_was_deleted_is_outside_of_the_project(clone: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"cd {gone}; rmdir {gone}; exec {clone}/bin/pulumi stack ls"
    done = subprocess.run(
        ["sh", "-ec", script], env=users_own(clone) | {"PULUMI_STACK": "local"}, capture_output=True, text=True
    )
    assert (done.returncode, "\nlocal" in done.stdout) == (0, True), done.stdout + done.stderr


def test_up_keeps_a_secret(run: Run, clone: Path) -> None:
    assert SECRET not in run("up", "--yes", *in_mode("fine")).stdout
    assert SECRET not in run("stack", "output", "--json", "--stack", "local").stdout
    assert SECRET in run("stack", "output", "--json", "--show-secrets", "--stack", "local").stdout
    kept = [path for path in clone.rglob("*") if path.is_file() and not path.is_relative_to(clone / ".venv")]
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]
    assert (clone / ".engarde/state/.pulumi/stacks/engarde/local.json").exists()


def test_stand_ins_are_named_on_every_run(run: Run, engine: Engine) -> None:
    assert ("provider stubs" in run("preview", *in_mode("fine")).stderr) != engine.official


def test_what_the_providers_sessions_start_with_replaces_the_users_own(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGOPTIONS", raising=False)
    assert "PGOPTIONS" not in run("up", "--yes", "--skip-preview", *in_mode("fine")).stderr
    monkeypatch.setenv("PGOPTIONS", "-c search_path=elsewhere")
    assert "PGOPTIONS of your environment is ignored" in run("up", "--yes", *in_mode("fine")).stderr
    assert run("stack", "output", "pgoptions", "--stack", "local").stdout.strip() == pgoptions()["PGOPTIONS"]


def test_any_folder_serves(run: Run, clone: Path, tmp_path: Path) -> None:
    assert run("stack", "output", "stack", "--stack", "local", cwd=tmp_path).stdout.strip() == "local"
    (tmp_path / "link").symlink_to(clone / "bin/pulumi")
    linked = subprocess.run([tmp_path / "link", "version"], env=users_own(clone), check=False, capture_output=True)
    assert linked.returncode == 0


def test_selected_stack_needs_no_name(run: Run) -> None:
    run("stack", "select", "local")
    try:
        assert run("stack", "output", "stack").stdout.strip() == "local"
    finally:
        run("stack", "unselect")


@pytest.mark.parametrize("command", ["preview", "up"])
def test_stated_fault_is_one_message(run: Run, command: str) -> None:
    failed = run(command, *in_mode("stated"), *(["--yes"] if command == "up" else []), fails=True)
    shown = failed.stdout + failed.stderr
    assert re.search(r"error: one fault\n +another fault\n", shown)
    assert re.search(r"engarde-local .*\d errors?", shown)
    assert "Traceback" not in shown


@pytest.mark.parametrize("mode", ["bug", "apply"])
def test_bug_shows_where_it_is(run: Run, mode: str) -> None:
    shown = run("preview", *in_mode(mode), fails=True).stdout
    assert "ValueError: broken" in shown
    assert "beside.py" in shown


@pytest.mark.parametrize("signalled", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interrupted_run_ends_with_all_its_processes(clone: Path, run: Run, signalled: signal.Signals) -> None:
    told = clone / "pid"
    told.unlink(missing_ok=True)
    with subprocess.Popen(
        [clone / "bin/pulumi", "up", "--yes", "--skip-preview", *in_mode("sleep")],
        cwd=clone,
        env=users_own(clone),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as engine:
        until(lambda: told.exists() and told.read_text() != "")
        engine.send_signal(signalled)
        output, _ = engine.communicate(timeout=20)
    assert engine.returncode != 0
    assert "Traceback" not in output
    until(lambda: command_of(int(told.read_text())) == "")
    run("cancel", "local", "--yes")
    run("up", "--yes", "--skip-preview", *in_mode("fine"))


def test_stand_ins_serve_no_other_stack(run: Run, engine: Engine) -> None:
    failed = run("preview", "--stack", "prod", "--non-interactive", fails=True)
    assert ("provider stubs" in failed.stderr) != engine.official
    assert (failed.returncode == 2) != engine.official


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)
