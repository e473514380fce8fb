"""The text of a stack file: reading it as plain values, and lines to add to it."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from itertools import accumulate
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, StringMark
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from engarde.declaration.grants import Read
from engarde.declaration.names import spelled
from engarde.declaration.stack_names import PROJECT, file_name, in_folder
from engarde.errors import ConfigError
from engarde.util.files import read_text
from engarde.util.quoting import word
from engarde.util.unknown import UnknownName

LONGEST = 1_000_000
"""The largest stack file; a thousand services need a tenth, and the reader takes seconds for more [bytes]."""
DEEPEST = 40
"""Levels of maps and lists; a stack needs six."""
LARGEST = 100_000
"""Values in a section, aliases counted each time; a thousand services need a tenth."""
LONGEST_NUMBER = 2**63
"""Larger whole numbers are valid nowhere, and slow to print."""


class NotPlain(ValueError):
    """Why something cannot be read as plain values."""


def document(file: Path) -> dict[str, Any]:
    """The content of a stack file, as the YAML reader gives it.

    :raises ConfigError: the file cannot be read, is not YAML, or is not a map.
    """
    try:
        text = read_text(file, LONGEST)
    except FileNotFoundError:
        there = map(file_name, in_folder(file.parent))
        raise UnknownName(f"{file.parent}", "file", [file.name], there) from None
    except OSError as error:
        raise ConfigError(f"{file.name}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"{file.name}: not valid YAML") from None
    found = yaml(file.name, text)
    return found if isinstance(found, dict) else config(file.name, {})


def config(name: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """The map `config` of a stack file.

    :raises ConfigError: there is no such map; `name` says where.
    """
    found = document.get("config")
    if not isinstance(found, dict):
        raise ConfigError(f"{name}: no map `config` at the top; see Pulumi.prod.yaml for an example")
    return {str(k): v for k, v in found.items()}


def yaml(name: str, text: str) -> object:
    """What a text says.

    :raises ConfigError: it is no YAML; `name` says which.
    """
    # The depth of open brackets, also of those inside texts: the reader's time grows with its square.
    if max(accumulate(1 if mark in "[{" else -1 for mark in text if mark in "[]{}"), default=0) > DEEPEST:
        raise ConfigError(f"{name}: nested too deeply")
    try:
        with warnings.catch_warnings():
            # A warning of the reader quotes a number, which may be a secret.
            warnings.simplefilter("ignore")
            return YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        # The reader's own message quotes the line, which may hold a secret.
        mark = error.problem_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        wrong = _duplicate(text, mark) if isinstance(error, DuplicateKeyError) else "not valid YAML"
        raise ConfigError(f"{name}{where}: {wrong}") from None
    except RecursionError:
        raise ConfigError(f"{name}: nested too deeply") from None
    except Exception:
        # A tag or an escape that does not fit its value can raise any error in the reader.
        raise ConfigError(f"{name}: not valid YAML") from None


def _duplicate(text: str, mark: StringMark) -> str:
    """Which key begins at the mark, and where its map has had it before."""
    # By identity: an alias repeats a node, even within itself.
    nodes: dict[int, Node] = {}
    left: list[Node] = [YAML(typ="safe", pure=True).compose(text)]
    while left:
        node = left.pop()
        if id(node) in nodes:
            continue
        nodes[id(node)] = node
        if isinstance(node, MappingNode):
            lines: dict[str, int] = {}
            for key, value in node.value:
                name = str(key.value)
                if key.start_mark.index == mark.index:
                    return f"duplicate key {name}" + (f", first at line {lines[name]}" if name in lines else "")
                lines.setdefault(name, key.start_mark.line + 1)
                left.append(value)
        elif isinstance(node, SequenceNode):
            left += node.value
    return "duplicate key"


def plain(value: object) -> Any:
    """The value in JSON's types; what only YAML has (dates, odd keys) becomes text.

    :raises NotPlain: it contains itself, or more than any stack does.
    """
    return _plain(value, iter(range(LARGEST)), 0)


def _plain(value: object, budget: Iterator[int], depth: int) -> Any:
    if depth > DEEPEST:
        raise NotPlain(f"nested more than {DEEPEST} levels deep")
    if next(budget, None) is None:
        raise NotPlain(f"holds more than {LARGEST} values")
    match value:
        case dict():
            return {_text(name): _plain(inner, budget, depth + 1) for name, inner in value.items()}
        case list() | tuple():
            return [_plain(inner, budget, depth + 1) for inner in value]
        case int() if abs(value) >= LONGEST_NUMBER:
            raise NotPlain(f"holds a number beyond {LONGEST_NUMBER}")
        case None | bool() | int() | float():
            return value
        case _:
            return _text(value)


def _text(value: object) -> str:
    try:
        text = str(value)
    except (RecursionError, ValueError):
        raise NotPlain("holds a key that is not text") from None
    # Half of a UTF-16 pair, written as an escape, is not a character.
    return text.encode(errors="replace").decode()


def lines(section: str, content: Mapping[str, object] | Sequence[str]) -> str:
    """A section of the stack file with this content, as YAML."""
    writer = YAML()
    writer.width = 4096
    writer.default_flow_style = None
    text = StringIO()
    writer.dump({f"{PROJECT}:{section}": dict(content) if isinstance(content, Mapping) else list(content)}, text)
    return text.getvalue().rstrip("\n")


def referring(service: str, schema: str, table: str, read: Read | None) -> str:
    """The lines that allow a service's foreign keys to a table; `read` is an existing read of the table."""
    columns = {"columns": list(read.columns)} if read and read.columns else {}
    entry = {"table": spelled(schema, table), **columns, "references": True}
    instead = "  # in place of its entry without references" if read else ""
    return lines("services", {service: {"reads": [entry]}}) + instead


def set_key(stack: str, section: str, path: tuple[str, ...], value: str) -> str | None:
    """The command that sets a key inside a section; None if Pulumi's `--path` cannot express its name."""
    key = key_path(section, path)
    return key and f"bin/pulumi config set --path {word(key)} {value} --stack {stack}"


def key_path(section: str, path: tuple[str, ...]) -> str | None:
    """A key inside a section in the form of Pulumi's `--path`; None if that cannot express its name."""
    if any(part.endswith("\\") for part in path):
        return None
    return f"{PROJECT}:{section}" + "".join(_step(part) for part in path)


def _step(part: str) -> str:
    if part.isascii() and part.replace("_", "a").isalnum() and not part[0].isdigit():
        return f".{part}"
    return '["' + part.replace('"', '\\"') + '"]'
