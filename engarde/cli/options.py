"""What all commands share: options, printing and exit codes."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from engarde.checks.under_way import under_way
from engarde.cli.completion import stacks
from engarde.declaration.loader import refuse_without_project
from engarde.errors import Refused
from engarde.pulumi_cli.stacks import chosen
from engarde.util.terminal import put, say
from engarde.util.unknown import UnknownName

if TYPE_CHECKING:
    from engarde.output.show import Result

    Function = Callable[..., Result | str | None]


def command(
    name: str, *, outputs: Sequence[str] = ("table", "json"), group: click.Group | None = None, **settings: Any
) -> Callable[[Function], click.Command]:
    """Makes a command of a function that takes its options, `stack` among them, and returns what is to be printed.

    A `Result` is printed in the form of `--output`, and the command ends with its exit code; a text is printed as it
    is. A function with a parameter `output` gets the form, too. `settings` are click's.

    :param outputs: the forms; if empty, there is no `--output`.
    """

    def made(function: Function) -> click.Command:
        takes_output = "output" in inspect.signature(function).parameters

        @functools.wraps(function)
        def run(*, output: str = "", **given: Any) -> int:
            result = function(**given, **({"output": output} if takes_output else {}))
            if isinstance(result, str):
                put(result)
            if result is None or isinstance(result, str):
                return 0
            from engarde.output.show import print_result

            return print_result(result, output)

        # In a command that passes options on, click would find `-s` in them.
        short = not settings.get("context_settings", {}).get("ignore_unknown_options")
        options = _stack_option(_output_option(outputs)(run) if outputs else run, short=short)
        return (group.command if group else click.command)(name, **settings)(options)

    return made


class Commands(click.Group):
    """A group that lists its commands if an unknown one is given."""

    def resolve_command(
        self, context: click.Context, words: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names, and the other words."""
        if context.resilient_parsing or words[0].startswith("-") or words[0] in self.commands:
            return super().resolve_command(context, words)
        raise UnknownName(f"`{context.command_path}`", "command", words[:1], self.commands)


class OnServices(click.Command):
    """A command whose first arguments are services; `--service` names them, too, until the next major version."""

    def parse_args(self, context: click.Context, words: list[str]) -> list[str]:
        """The values of `--service` are put first."""
        end = words.index("--") if "--" in words else len(words)
        named, others, left = [], [], iter(words[:end])
        for word in left:
            option, joined, value = word.partition("=")
            if option != "--service":
                others.append(word)
            elif (service := value if joined else next(left, None)) is not None:
                named.append(service)
            elif not context.resilient_parsing:
                raise click.BadOptionUsage("service", "Option '--service' requires an argument.", context)
        return super().parse_args(context, [*named, *others, *words[end:]])


def _stack(context: click.Context, option: click.Parameter, given: str | None) -> str | None:
    """The stack that is meant, if any; what is unfinished in it is reported first.

    :raises ConfigError: there is no project.
    """
    if context.resilient_parsing or context.params.get("no_stack"):
        return given
    refuse_without_project()
    stack = chosen(given)
    try:
        for begun in under_way(stack, {}):
            say(f"engarde: {begun}")
    except (Refused, OSError) as fault:
        say(f"engarde: {fault}")
    return stack


def _stack_option(run: Callable[..., int], *, short: bool) -> Callable[..., int]:
    return click.option(
        *(["-s"] if short else []),
        "--stack",
        metavar="NAME",
        callback=_stack,
        shell_complete=stacks,
        help="The stack, as Pulumi names it. By default that of PULUMI_STACK, else the selected one, else `local`.",
    )(run)


pg_bin_option = click.option(
    "--pg-bin",
    metavar="DIR",
    help="Folder of pg_dump and pg_restore; also ENGARDE_PG_BIN. By default they are searched for.",
)


def _output_option(outputs: Sequence[str]) -> Callable[[Callable[..., int]], Callable[..., int]]:
    kinds = "For people, for programs, or for Prometheus." if "prometheus" in outputs else "For people or for programs."
    return click.option("--output", type=click.Choice(outputs), default=outputs[0], show_default=True, help=kinds)


def asking(*, yes: bool, flag: str = "--yes") -> Callable[[str], None]:
    """Tells the operator what will be done, and ends the command unless they agree."""

    def asked(notice: str) -> None:
        say(notice)
        if yes:
            return
        if not sys.stdin.isatty():
            raise Refused(
                f"Nothing was changed. Standard input is not a terminal: use {flag} to go on without being asked"
            )
        if not click.confirm("Continue?", err=True):
            raise Refused("Nothing was changed.")

    return asked
