"""Whole processes under a clock, and the errors they told."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engarde.util.terminal import last_line

LIMIT = 3600.0
"""Of one process (seconds)."""

GRACE = 30.0
"""For an interrupted process to end by itself (seconds)."""

MOST_LINES = 6
"""Of one error."""

ERROR = re.compile(r"(?:psql:\S* )?(?:FATAL|ERROR|Error|error): ")
VERIFIER = re.compile(r"SCRAM-SHA-256\$[^\s'\"]+")


@dataclass(frozen=True, slots=True)
class Done:
    """A process that has ended."""

    seconds: float
    exit: int
    output: str = field(repr=False)
    """both of its streams"""


def run(
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    given: str = "",
    limit: float = LIMIT,
) -> Done:
    """Runs a process to its end, which an interrupt of ours or the limit makes come soon."""
    start = time.monotonic()
    process = subprocess.Popen(
        words,
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # The terminal's Ctrl-C is for us alone: we end the process, then the server that it talks to.
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(given, timeout=limit)
    except subprocess.TimeoutExpired:
        output = f"{_end(process)}\nerror: not done after {limit:.0f} s\n"
    finally:
        if process.poll() is None:
            _end(process)
    return Done(time.monotonic() - start, process.returncode, output)


def _end(process: "subprocess.Popen[str]") -> str:
    process.send_signal(signal.SIGINT)
    try:
        output, _ = process.communicate(timeout=GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
    return output


def errors(what: str, done: Done, secrets: Sequence[str]) -> tuple[str, ...]:
    """One for an exit code other than 0, and one for each error in the output."""
    told = list(_told(done.output))
    if done.exit:
        told.insert(0, f"exit code {done.exit}" + ("" if told else f": {last_line(done.output)}"))
    return tuple(f"{what}: {_hidden(each, secrets)}" for each in told)


def _told(output: str) -> Iterator[str]:
    """Each error with the lines that belong to it."""
    found: list[str] = []
    for line in map(str.strip, output.splitlines()):
        if ERROR.match(line):
            if found:
                yield "\n".join(found)
            found = [line]
        elif found and line and len(found) < MOST_LINES:
            found.append(line)
        elif found:
            yield "\n".join(found)
            found = []
    if found:
        yield "\n".join(found)


def _hidden(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    return VERIFIER.sub("[verifier]", text)
