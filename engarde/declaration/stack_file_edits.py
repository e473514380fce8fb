"""Changes to a stack file: the lines to put into it, and the engine's command that writes one key."""

from collections.abc import Mapping, Sequence
from io import StringIO

from ruamel.yaml import YAML

from engarde.declaration.grants import Read
from engarde.declaration.loader import PROJECT
from engarde.declaration.names import spelled
from engarde.util.quoting import word


def lines(section: str, content: Mapping[str, object] | Sequence[str]) -> str:
    """What the section of the stack file gets, as YAML."""
    yaml = YAML()
    yaml.width = 4096
    yaml.default_flow_style = None
    text = StringIO()
    yaml.dump({f"{PROJECT}:{section}": dict(content) if isinstance(content, Mapping) else list(content)}, text)
    return text.getvalue().rstrip("\n")


def referring(service: str, schema: str, table: str, read: Read | None) -> str:
    """The lines that let the foreign keys of a service point at a table, of which there may be a read already."""
    columns = {"columns": list(read.columns)} if read and read.columns else {}
    entry = {"table": spelled(schema, table), **columns, "references": True}
    instead = "  # in place of its entry without references" if read else ""
    return lines("services", {service: {"reads": [entry]}}) + instead


def set_key(stack: str, section: str, path: tuple[str, ...], value: str) -> str | None:
    """The command that sets a key inside a section; None where the engine has no way to spell its name."""
    spelled = key_path(section, path)
    return spelled and f"bin/pulumi config set --path {word(spelled)} {value} --stack {stack}"


def key_path(section: str, path: tuple[str, ...]) -> str | None:
    """A key inside a section as the engine's `--path` takes it; None where it has no way to spell its name."""
    if any(part.endswith("\\") for part in path):
        return None
    return f"{PROJECT}:{section}" + "".join(_step(part) for part in path)


def _step(part: str) -> str:
    if part.isascii() and part.replace("_", "a").isalnum() and not part[0].isdigit():
        return f".{part}"
    return '["' + part.replace('"', '\\"') + '"]'
