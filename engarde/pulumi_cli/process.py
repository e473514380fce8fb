"""Runs Pulumi and waits for it: the only place where the tool does."""

import json
import re
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from engarde.declaration.declared import NOTHING
from engarde.declaration.loader import FOLDER
from engarde.errors import EngardeError, Unfinished, Unreachable
from engarde.server.blocking import PULUMI
from engarde.server.libpq import given_environment
from engarde.util.masking import masked
from engarde.util.provider_sessions import pgoptions
from engarde.util.terminal import begin_change, say
from engarde.util.timeouts import seconds

Work = Literal["ask", "preview", "change"]
"""What a command does: it reads the state, compares with the server, or changes something."""

_LIMITS: Mapping[Work, str] = {"ask": "pulumi.ask", "preview": "pulumi.preview", "change": "pulumi.silence"}

OF_THE_TOOL = "ENGARDE_OF_THE_TOOL"
"""Set for runs that this tool starts, since it has already reported what is open."""

TAKE_OVER = "ENGARDE_TAKE_OVER"
"""JSON list of roles that were made before the state knew of them; `adopt` for this run only."""

QUIET = ("same", "refresh", "read")
"""Operations that change nothing."""

ONE_OBJECT = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "false"}
"""Makes a preview print one JSON object, whatever the operator has set."""

EVERY_STEP = {"PULUMI_SKIP_CHECKPOINTS": "false"}
"""A step must be in the state before it is sent to the server, because Pulumi may be killed at any moment."""

_STOPPED = "did not finish; see its output above"

_WARNING = re.compile(rf" *(?:pulumi:pulumi:Stack \S+ running )?warning: (.*{PULUMI}.*)")
"""A warning of the program, while it runs and at its end; elsewhere in a line it may be part of a name."""


def engine(
    *arguments: str, work: Work = "ask", environment: Mapping[str, str] = NOTHING
) -> subprocess.CompletedProcess[str]:
    """Runs a command of Pulumi to its end; if it changes something, all its output goes to standard error.

    Its errors are masked: they may quote the stack file.

    :raises Unreachable: no Pulumi, or it was stopped because it took too long.
    :raises Unfinished: the same for a command that changes something.
    """
    if work == "change":
        begin_change()
    program = FOLDER / "bin" / "pulumi"
    # A project without a launcher uses the operator's own Pulumi, whose sessions have no limits yet.
    ours = program.exists()
    try:
        started = subprocess.Popen(
            [program if ours else "pulumi", *arguments, "--non-interactive"],
            cwd=FOLDER,
            env={**given_environment(), **({} if ours else pgoptions()), OF_THE_TOOL: "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if work == "change" else subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except OSError as error:
        how = "https://www.pulumi.com/docs/install/, or `make up` in a clone"
        raise Unreachable(f"cannot start Pulumi ({error}). Install it: {how}") from None
    return _Running(started, work, arguments[0]).ended()


@dataclass(slots=True)
class _Running:
    """A running command, whose output is read as it comes."""

    process: subprocess.Popen[str]
    work: Work
    word: str
    heard: float = field(default_factory=time.monotonic)
    """when it began or, if it changes something, printed last"""
    said: list[str] = field(default_factory=list)
    complained: list[str] = field(default_factory=list)

    def ended(self) -> subprocess.CompletedProcess[str]:
        streams = [(self.process.stdout, self.said), (self.process.stderr, self.complained)]
        readers = [threading.Thread(target=self._read, args=stream, daemon=True) for stream in streams if stream[0]]
        for reader in readers:
            reader.start()
        interrupted = late = False
        while self.process.poll() is None:
            try:
                if time.monotonic() - self.heard > seconds(_LIMITS[self.work]):
                    late = True
                    self._end()
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(0.5)
            except KeyboardInterrupt:
                # The terminal has interrupted Pulumi, too. If it were killed now, it would leave its lock.
                interrupted = True
        for reader in readers:
            # A provider that outlives a killed Pulumi keeps the output open.
            reader.join(seconds("pulumi.kill"))
        if interrupted:
            raise KeyboardInterrupt
        if late:
            raise self._given_up()
        code, said = self.process.returncode, "".join(self.said)
        return subprocess.CompletedProcess(self.process.args, code, said, masked("".join(self.complained)))

    def _read(self, stream: IO[str], into: list[str]) -> None:
        with stream:
            for line in stream:
                into.append(line)
                if self.work == "change":
                    self.heard = time.monotonic()
                    # It may repeat names from the server that hold control characters.
                    say(masked(line.rstrip("\n")))

    def _end(self) -> None:
        """Interrupts it, interrupts it again, and then kills it, as an operator would."""
        for limit in ("pulumi.end", "pulumi.kill"):
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds(limit))
                return
        self.process.kill()

    def _given_up(self) -> EngardeError:
        limit = seconds(_LIMITS[self.work])
        if self.work == "change":
            return Unfinished(
                f"`pulumi {self.word}` printed nothing for {limit:.0f} s and was stopped: a provider or the connection"
                " to the server hangs. See above what was changed, then run the same command again"
            )
        return Unreachable(f"`pulumi {self.word}` did not finish within {limit:.0f} s. Nothing was changed.")


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
    """The changes that `up` would make with these options.

    :raises Unreachable: no Pulumi, or the program or a provider found a fault.
    """
    words = ("preview", "--json", "--stack", stack, *options)
    done = engine(*words, work="preview", environment={**environment, **ONE_OBJECT})
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        document = {}
    if done.returncode:
        complaints = [found for found in document.get("diagnostics") or () if found.get("severity") == "error"]
        said = "\n".join(masked(str(found.get("message", "")).strip()) for found in complaints)
        said = said or done.stderr.strip() or "it printed no error"
        raise Unreachable(f"Pulumi's preview of stack {stack} failed. Nothing was changed:\n{said}")
    return tuple(_step(found) for found in document.get("steps") or () if found["op"] not in QUIET)


def _step(found: dict[str, Any]) -> Step:
    kind, name = found["urn"].split("::", 3)[2:]
    reasons = {*(found.get("diffReasons") or ()), *(found.get("replaceReasons") or ())}
    return Step(found["op"], kind.rpartition("$")[2], name, tuple(sorted(reasons)))


def up(stack: str, *options: str, environment: Mapping[str, str] = NOTHING) -> None:
    """Brings the stack up; Pulumi's output goes to standard error, secrets as `[secret]`.

    :raises Unfinished: it did not finish.
    """
    options = ("--yes", "--skip-preview", "--suppress-outputs", *options)
    environment = {**environment, **EVERY_STEP}
    done = engine("up", "--stack", stack, *options, work="change", environment=environment)
    if done.returncode:
        # The blocking sessions, as the program has named them.
        named = dict.fromkeys(found[1].strip() for found in map(_WARNING.match, done.stdout.split("\n")) if found)
        raise Unfinished("\n".join([f"`pulumi up` of stack {stack} {_STOPPED}", *named]))


def set_key(stack: str, file: Path, path: str, value: str) -> None:
    """Writes one key to a stack file, and keeps comments and order.

    :raises Unreachable: no Pulumi, or it refuses.
    """
    done = engine("config", "set", "--path", path, value, "--stack", stack, "--config-file", str(file))
    if done.returncode:
        raise Unreachable(f"Pulumi could not write {path} to a copy of the stack file:\n{done.stderr.strip()}")


def remove_key(stack: str, file: Path, path: str) -> None:
    """Removes one key from a stack file, and keeps comments and order.

    :raises Unreachable: no Pulumi, or it refuses.
    """
    done = engine("config", "rm", "--path", path, "--stack", stack, "--config-file", str(file))
    if done.returncode:
        raise Unreachable(f"Pulumi could not remove {path} from a copy of the stack file:\n{done.stderr.strip()}")


def forget_creations(stack: str, urns: Sequence[str]) -> None:
    """Removes these pending creations from the state.

    :raises Unfinished: it did not finish.
    """
    targets = [word for urn in urns for word in ("--target", urn)]
    options = ("--yes", "--skip-preview", "--clear-pending-creates", *targets)
    if engine("refresh", "--stack", stack, *options, work="change").returncode:
        raise Unfinished(f"`pulumi refresh` of stack {stack} {_STOPPED}")
