"""The repository's Markdown pages as they are read: fenced code, commands, links and headings, each with its line."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from pathlib import Path, PurePosixPath

from markdown_it import MarkdownIt
from markdown_it.token import Token

from launcher.paths import PROJECT

PLACEHOLDERS = {
    "COMMAND": "true",
    "DATABASE": "learning",
    "DIR": "backups/kept",
    "N": "2",
    "NAME": "example",
    "OBJECT": "public.users",
    "PATH": "examples/services/sankore",
    "REGION": "eu",
    "ROLE": "sankore_user",
    "S": "local",
    "SCHEMA": "public",
    "SECONDS": "5",
    "SERVICE": "sankore",
    "TEXT": "permission denied for schema onside",
    "VARIABLE": "STATUS_URL",
}
"""What stands for a word in capitals in a command of the pages."""

SHELL = ("bash", "console")
PROGRAMS = ("bin/engarde", "bin/pulumi", "pulumi", "make")
OPERATORS = frozenset("();<>|&\n")


@dataclass(frozen=True, slots=True)
class Located:
    """Something of a page."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        first, *_ = self.text.splitlines() or [""]
        return f"{self.page}:{self.line}: {first}"


@dataclass(frozen=True, slots=True)
class Block(Located):
    """Fenced code, or code that is only indented."""

    language: str

    def commands(self) -> Iterator[Located]:
        """What is typed, each command with the lines that go on with it; of a console, without what is printed."""
        command: list[str] = []
        start = 0
        for number, line in enumerate(self.text.splitlines(), self.line + 1):
            if command and (command[-1].endswith("\\") or line.startswith(" ")):
                command.append(line)
                continue
            yield from self._typed(start, command)
            start, command = number, [line]
        yield from self._typed(start, command)

    def _typed(self, line: int, command: list[str]) -> Iterator[Located]:
        text = "\n".join(command)
        if self.language == "console":
            prompt, _, text = text.partition("$ ")
            text = text if not prompt else ""
        if text.strip() and not text.startswith("#"):
            yield Located(self.page, line, text)


@dataclass(frozen=True, slots=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(PROJECT).as_posix()

    def blocks(self) -> Iterator[Block]:
        """All code that stands by itself."""
        for token in self._tokens():
            if token.type in ("fence", "code_block") and token.map:
                yield Block(self.name, token.map[0] + 1, token.content, token.info.strip())

    def spans(self) -> Iterator[Located]:
        """All code within the text."""
        for line, token in self._inline():
            if token.type == "code_inline":
                yield Located(self.name, line, token.content)

    def commands(self) -> Iterator[Located]:
        """What is to be typed, as it stands in blocks."""
        for block in self.blocks():
            if block.language in SHELL:
                yield from block.commands()

    def named_commands(self) -> Iterator[Located]:
        """What is to be typed, as the text names it: perhaps without its arguments."""
        called = re.compile(rf"(^|[\s(])({'|'.join(PROGRAMS)})\s")
        return (span for span in self.spans() if called.search(span.text))

    def links(self) -> Iterator[Located]:
        """Where each link and picture leads."""
        for line, token in self._inline():
            if target := token.attrGet("href") or token.attrGet("src"):
                yield Located(self.name, line, str(target))

    def anchors(self) -> set[str]:
        """What GitHub calls each heading."""
        seen: Counter[str] = Counter()
        found = set()
        for token, inside in pairwise(self._tokens()):
            if token.type == "heading_open":
                text = "".join(part.content for part in inside.children or ())
                slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
                found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
                seen[slug] += 1
        return found

    def _inline(self) -> Iterator[tuple[int, Token]]:
        for token in self._tokens():
            for part in token.children or ():
                yield (token.map or [0])[0] + 1, part

    def _tokens(self) -> list[Token]:
        return _parsed(self.path)


@cache
def _parsed(path: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(path.read_text())


@cache
def pages() -> tuple[Page, ...]:
    """Every page of the repository."""
    folders = [PROJECT / ".github", *PROJECT.glob("[!.]*/")]
    return tuple(map(Page, sorted([*PROJECT.glob("*.md"), *(path for each in folders for path in each.rglob("*.md"))])))


def variants(text: str) -> list[str]:
    """The commands that a synopsis stands for: the shortest, and each that differs from it in one thing.

    `[…]` may be left out, `|` stands between what to choose from, and `…` after what may be repeated. A command that
    is no synopsis stands for itself.
    """
    if not re.search(r"(^|\s)\[|[^\s|]\|[^\s|]", text):
        return [text]
    parts = [(part.startswith("["), _choices(part)) for part in re.findall(r"\[[^\]]*\]\S*|[^\s\[]+", text)]
    shortest = ["" if optional else choices[0] for optional, choices in parts]
    found = [shortest]
    for place, (_, choices) in enumerate(parts):
        found += [[*shortest[:place], choice, *shortest[place + 1 :]] for choice in choices]
    return list(dict.fromkeys(" ".join(filter(None, words)) for words in found))


def _choices(part: str) -> list[str]:
    words = re.sub(r"\.\.\.|…", "", part).strip("[]").split()
    return [" ".join(chosen) for chosen in product(*(word.split("|") for word in words))]


def filled(text: str) -> str:
    """A command with something in place of each word in capitals; what is quoted stays."""
    return re.sub(r"'[^']*'|(?<![\w$.{-])[A-Z]+(?![\w=}])", lambda word: PLACEHOLDERS.get(word[0], word[0]), text)


def calls(text: str, program: str) -> Iterator[list[str]]:
    """The arguments of a program in a command, wherever in a pipe, a list or a `$(…)` it stands."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars="".join(OPERATORS))
    lexer.commenters = "#"
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        for inner in re.findall(r"\$\(([^)]*)\)", word):
            yield from calls(inner, program)
        if not OPERATORS.issuperset(word):
            words.append(word)
            continue
        while words and re.match(r"\w+=", words[0]):
            del words[0]
        if words and PurePosixPath(words[0]).name == program:
            yield words[1:]
        words = []


def none(faults: Iterable[object]) -> None:
    """Fails with all of them, each on a line of its own."""
    told = [str(fault) for fault in faults]
    assert not told, "\n" + "\n".join(told)
