"""What the engine is told to do to a stack: preview, bring up, write one key of a file."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engarde.errors import Unfinished, Unreachable
from engarde.pulumi_cli.process import NOTHING, engine
from engarde.server.blocking import PULUMI
from engarde.util.masking import masked

QUIET = ("same", "refresh", "read")
"""Operations that change nothing."""


ONE_OBJECT = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "false"}
"""The form of a preview, whatever the operator has set."""

EVERY_STEP = {"PULUMI_SKIP_CHECKPOINTS": "false"}
"""What the server is sent has to be in the state before: an engine may be killed at any moment."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a run would do to one resource."""

    operation: str
    """`create`, `update`, `replace`, ..."""
    type: str
    name: str
    changed: tuple[str, ...]
    """the properties, of an update or a replacement"""

    def __str__(self) -> str:
        what = f" ({', '.join(self.changed)})" if self.changed else ""
        return f"{self.operation} {self.name}{what}, a {self.type.rpartition(':')[2]}"


def preview(stack: str, *options: str, environment: Mapping[str, str] = NOTHING) -> tuple[Step, ...]:
    """What `up` would do with these options, but for what stays as it is.

    :raises Unreachable: no engine, or the program or a plugin found a fault.
    """
    words = ("preview", "--json", "--stack", stack, *options)
    done = engine(*words, work="preview", environment={**environment, **ONE_OBJECT})
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        document = {}
    if done.returncode:
        said = "\n".join(_complaints(document)) or done.stderr.strip() or "it said nothing"
        raise Unreachable(f"the engine's preview of stack {stack} fails, so nothing was changed:\n{said}")
    return tuple(_step(each) for each in document.get("steps") or () if each["op"] not in QUIET)


def _complaints(document: dict[str, Any]) -> Iterator[str]:
    for each in document.get("diagnostics") or ():
        if each.get("severity") == "error":
            yield masked(str(each.get("message", "")).strip())


def _step(found: dict[str, Any]) -> Step:
    kind, name = found["urn"].split("::", 3)[2:]
    reasons = {*(found.get("diffReasons") or ()), *(found.get("replaceReasons") or ())}
    return Step(found["op"], kind.rpartition("$")[2], name, tuple(sorted(reasons)))


def up(stack: str, *options: str, environment: Mapping[str, str] = NOTHING) -> None:
    """Brings the stack up; what the engine says goes to standard error, secrets as `[secret]`.

    :raises Unfinished: it did not come to its end.
    """
    options = ("--yes", "--skip-preview", "--suppress-outputs", *options)
    environment = {**environment, **EVERY_STEP}
    done = engine("up", "--stack", stack, *options, work="change", environment=environment)
    if done.returncode:
        raise Unfinished(f"`pulumi up` of stack {stack} {_STOPPED}{_kept_waiting(done.stdout)}")


def set_key(stack: str, file: Path, path: str, value: str) -> None:
    """Writes one key into a stack file, comments and order kept.

    :raises Unreachable: no engine, or it refuses.
    """
    done = engine("config", "set", "--path", path, value, "--stack", stack, "--config-file", str(file))
    if done.returncode:
        raise Unreachable(f"the engine does not write {path} into a copy of the stack file:\n{done.stderr.strip()}")


def forget_creations(stack: str, urns: Sequence[str]) -> None:
    """Makes the state forget that these were about to be made.

    :raises Unfinished: it did not come to its end.
    """
    targets = [word for urn in urns for word in ("--target", urn)]
    options = ("--yes", "--skip-preview", "--clear-pending-creates", *targets)
    if engine("refresh", "--stack", stack, *options, work="change").returncode:
        raise Unfinished(f"`pulumi refresh` of stack {stack} {_STOPPED}")


_STOPPED = "did not come to its end; what it said stands above"


_WARNING = re.compile(rf" *(?:pulumi:pulumi:Stack \S+ running )?warning: (.*{PULUMI}.*)")
"""Of the program's, while it runs and at the end; elsewhere in a line it is part of a name that somebody has chosen."""


def _kept_waiting(said: str) -> str:
    """Who was in the way, as the program has named them."""
    named = dict.fromkeys(found[1].strip() for found in map(_WARNING.match, said.split("\n")) if found)
    return "".join(f"\n{each}" for each in named)
