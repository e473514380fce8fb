"""The pages of the repository: code that is whole, links that lead somewhere, commands that the tool takes."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

import click

from engarde.cli import main
from engarde.declaration import loader, stack_file
from engarde.errors import ConfigError, EngardeError
from launcher.paths import PROJECT
from tests.markdown import SHELL, Block, Located, Page, calls, filled, none, pages, variants
from tests.parts import PARTS

LANGUAGES = {*SHELL, "js", "json", "mermaid", "python", "sql", "text", "toml", "ts", "yaml"}
INDEX = Page(PROJECT / "docs/README.md")
SERVICES = "engarde:services"
OTHER_FILES = {"repos", "jobs"}
"""Keys of YAML that is no stack file."""

STACK: dict[str, Any] = {
    "engarde:server": {"host": "db.example", "database": "railway"},
    "engarde:adminPassword": {"secure": "v1:x"},
    SERVICES: dict.fromkeys(("madansara", "sankore", "onside", "langflow")),
    "engarde:existingSchemas": {"public": None},
    "engarde:analytics": {},
    "engarde:railway": {"project": "engarde", "environment": "production"},
}
"""What a page's piece of a stack file is put into."""


def blocks() -> Iterator[Block]:
    return (block for page in pages() for block in page.blocks())


def test_the_pages_are_found() -> None:
    assert {"README.md", "docs/verify.md", "examples/services/README.md"} <= {page.name for page in pages()}


def test_each_block_has_its_language() -> None:
    none(block for block in blocks() if block.language not in LANGUAGES)


def test_each_block_is_whole() -> None:
    none(fault for block in blocks() for fault in _faults(block))


def _faults(block: Block) -> Iterator[str]:
    try:
        match block.language:
            case "yaml":
                _declare(stack_file.yaml(block.page, block.text))
            case "json":
                json.loads(block.text)
            case "toml":
                tomllib.loads(block.text)
            case "python":
                ast.parse(block.text)
            case "bash" | "console":
                for command in block.commands():
                    [*calls(command.text, "")]
    except (ValueError, SyntaxError, ConfigError) as fault:
        yield f"{block}\n{fault}"


def _declare(document: Any) -> None:
    """Reads what a page has of a stack file."""
    if not isinstance(document, dict) or OTHER_FILES & document.keys():
        return
    stack = {**STACK}
    for key, value in document.get("config", document).items():
        if not key.startswith("engarde:"):
            raise ConfigError(f"{key}: is no key of a stack file")
        stack[key] = {**(stack.get(key) or {}), **value} if isinstance(value, dict) else value
    gone = {(service or {}).get("formerly") for service in stack[SERVICES].values()}
    outside = stack.get("engarde:outsideRoles", {})
    gone |= {name for name in stack[SERVICES] if f"{name}_user" in outside}
    stack[SERVICES] = {name: service for name, service in stack[SERVICES].items() if name not in gone}
    if "analytics_readonly" in outside:
        del stack["engarde:analytics"]
    loader.of_config("prod", stack)


def test_each_link_leads_to_a_file_and_a_heading() -> None:
    none(link for page in pages() for link in page.links() if not _leads(page, link.text))


def _leads(page: Page, link: str) -> bool:
    target = urlsplit(link)
    if target.scheme or target.netloc:
        # Nobody else's pages are asked for in a test.
        return target.scheme == "https" and "." in (target.hostname or "") and " " not in link
    path = (page.path.parent / unquote(target.path)).resolve() if target.path else page.path
    if not path.exists() or not path.is_relative_to(PROJECT):
        return False
    return not target.fragment or target.fragment in Page(path).anchors()


def test_each_page_of_the_docs_is_reached_from_their_index() -> None:
    reached, new = set(), {INDEX.path}
    while new:
        reached |= new
        linked = {(path.parent / urlsplit(link.text).path).resolve() for path in new for link in Page(path).links()}
        new = {path for path in linked if path.parent == INDEX.path.parent and path.suffix == ".md"} - reached
    none(page.name for page in pages() if page.path.parent == INDEX.path.parent and page.path not in reached)


def commands() -> Iterator[tuple[Located, bool]]:
    """What is to be typed, and whether it has all its arguments."""
    for page in pages():
        yield from ((command, True) for command in page.commands())
        yield from ((command, False) for command in page.named_commands())


def test_the_tool_takes_each_command_line() -> None:
    with (
        patch("engarde.cli.options.refuse_without_project"),
        patch("engarde.cli.options.chosen"),
        patch("engarde.cli.options.under_way", return_value=()),
    ):
        none(fault for command, whole in commands() for fault in _refused(command, whole=whole))


def _refused(command: Located, *, whole: bool) -> Iterator[str]:
    for variant in variants(command.text):
        try:
            for words in calls(filled(variant), "engarde"):
                _parse(main, words, whole=whole)
        except click.MissingParameter as fault:
            if whole:
                yield f"{command}\n{fault.format_message()}"
        except (click.ClickException, EngardeError, ValueError) as fault:
            yield f"{command}\n{fault}"


def _parse(command: click.Command, words: list[str], parent: click.Context | None = None, *, whole: bool) -> None:
    with suppress(click.exceptions.Exit, click.exceptions.NoArgsIsHelpError):
        context = command.make_context(command.name if parent else "engarde", [*words], parent)
        if isinstance(command, click.Group):
            _, inner, left = command.resolve_command(context, [*context._protected_args, *context.args])
            if inner and (left or whole):
                _parse(inner, left, context, whole=whole)


def test_there_is_each_target_of_make() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    targets = {*re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)}
    targets |= {f"{variable}=" for variable in re.findall(r"\$\((\w+)\)", makefile)}
    called = [(command, word) for command, _ in commands() for words in calls(command.text, "make") for word in words]
    none(command for command, word in called if re.sub("(?<==).*", "", word) not in targets)
    parts = [(command, word.removeprefix("PART=")) for command, word in called if word.startswith("PART=")]
    none(command for command, part in parts if part not in PARTS)
