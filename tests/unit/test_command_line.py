"""What the command line says of itself, and how it takes names."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import click
import pytest
from click.testing import CliRunner, Result

from engarde.cli import main
from engarde.cli.options import OnServices
from engarde.util.unknown import UnknownName

PROJECT = Path(__file__).parents[2]


def ran(*words: str) -> Result:
    return CliRunner().invoke(main, words, prog_name="engarde", env={"COLUMNS": "80"})


def commands(group: click.Group = main, *before: str) -> Iterator[tuple[str, ...]]:
    """Every command that does something, as it is typed."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *before, name)
        else:
            yield (*before, name)


def test_the_version_is_that_of_the_project() -> None:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    assert ran("--version").stdout == f"engarde {declared}\n"


@pytest.mark.parametrize("words", [*commands()], ids=" ".join)
def test_each_command_says_what_it_ends_with(words: tuple[str, ...]) -> None:
    assert "Exit codes: " in " ".join(ran(*words, "--help").stdout.split())


@pytest.mark.parametrize("group", [(), ("alembic",), ("migrate",), ("railway",), ("split",)], ids=" ".join)
def test_no_line_of_help_is_cut(group: tuple[str, ...]) -> None:
    listed = ran(*group, "--help").stdout.partition("\nCommands:\n")[2].splitlines()
    assert len(listed) > 1
    assert [line for line in listed if "..." in line or not line.strip()] == []
    names = {line.split()[0] for line in listed}
    assert names == {words[len(group)] for words in commands() if words[: len(group)] == group}


def test_what_may_be_left_out_is_in_the_help() -> None:
    shown = ran("migrate", "--help").stdout
    assert all(option in shown for option in ("--all", "--jobs", "--sql"))


def test_psql_has_help_beside_its_own_options() -> None:
    assert ran("psql", "-h").stdout == ran("psql", "--help").stdout != ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("verfy",), "`engarde` has no command verfy; it has verify, "),
        (("split", "bcak"), "`engarde split` has no command bcak; it has back, plan, run, finish"),
    ],
)
def test_a_command_that_is_not_there(words: tuple[str, ...], says: str) -> None:
    done = ran(*words)
    assert (done.exit_code, done.stderr.startswith(f"engarde: {says}")) == (2, True), done.stderr


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        (("--service", "a"), ["a"]),
        (("--service=a", "--service", "b", "c"), ["a", "b", "c"]),
        (("path", "--service", "a"), ["a", "path"]),
        (("path", "--", "--service", "a"), ["path", "--service", "a"]),
        (("a", "path"), ["a", "path"]),
    ],
)
def test_a_service_by_its_old_option(typed: tuple[str, ...], taken: list[str]) -> None:
    command = OnServices("any", params=[click.Argument(["names"], nargs=-1)])
    assert command.make_context("any", [*typed]).params == {"names": tuple(taken)}


def test_the_old_option_needs_a_name_and_is_not_in_the_help() -> None:
    done = ran("verify", "--service")
    assert (done.exit_code, "'--service' requires an argument" in done.stderr) == (2, True)
    assert [words for words in commands() if "--service" in ran(*words, "--help").stdout] == []


def test_the_names_that_are_there_come_closest_first() -> None:
    there = ["langflow", "madansara", "onside", "Sankore"]
    said = str(UnknownName("stack local", "service", ["sankor"], there))
    assert said == "stack local has no service sankor; it has Sankore, langflow, madansara, onside"
    many = str(UnknownName("stack local", "service", ["x", "y"], map(str, range(12))))
    assert many == "stack local has no service x or y; it has 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
    assert str(UnknownName("stack local", "service", ["x"], ())).endswith("it has none")


def test_an_error_that_is_not_known_is_no_fault_of_the_command_line() -> None:
    with patch("engarde.cli.checks.read"), patch("engarde.doctor.diagnose", return_value=None):
        done = ran("doctor", "nothing", "known")
    assert (done.exit_code, done.stderr.startswith("engarde: unknown error; ")) == (2, True)
