"""`make bench`: how long everything takes beside the least that it can take."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from rich.console import Console

from engarde.util.terminal import step, tell
from launcher.engine import ToolchainError
from tests.bench.machine import facts
from tests.bench.rounds import measured
from tests.bench.table import table
from tests.bench.terraform import Terraform, TerraformMissing, found
from tests.bench.tool import Measured
from tests.engines import under_test

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(words: list[str]) -> int:
    """Measures, prints the table on stdout, and returns the exit code."""
    asked = _parsed(words)
    engine = under_test()
    results: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="engarde-bench-") as folder:
        rival, note = _rival(Path(folder, "terraform"))
        try:
            with closing(measured(asked.sizes, asked.rounds, engine, rival)) as each_measured:
                results.extend(each_measured)
        finally:
            _print([*facts(engine), note], results)
    return exit_code(results)


def exit_code(results: Iterable[Measured]) -> int:
    """1 where there was any error but another tool's own."""
    return int(any(each.errors for each in results if each.ours))


def _parsed(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.bench", description=__doc__)
    parser.add_argument("--sizes", type=_positive, nargs="+", default=[4, 50, 200], help="numbers of services")
    parser.add_argument("--rounds", type=_positive, default=1, help="how often each size is measured")
    return parser.parse_args(words)


def _positive(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word} is no whole number from 1")
    return int(word)


def _rival(folder: Path) -> tuple[Terraform | None, str]:
    """Terraform if it can be had, and what is to be said of it."""
    try:
        with step("looking for Terraform and its provider"):
            rival = found(folder)
    except TerraformMissing as missing:
        return None, f"Terraform is left out: {missing}"
    passwords = "makes the passwords" if rival.makes_passwords else "is given verifiers, as the floor is"
    return rival, (
        f"Terraform {rival.version} {passwords}; its errors are its own, and do not make the benchmark fail: "
        "at its default parallelism grants collide"
    )


def _print(lines: list[str], results: list[Measured]) -> None:
    # A pipe has no width, and half a line is of no use to a script.
    console = Console(width=None if sys.stdout.isatty() else 200)
    for line in lines:
        console.print(line, markup=False, highlight=False)
    if results:
        console.print(table(results))


def _stop(*_: object) -> None:
    """Unwinds once, so that a second signal does not keep what was made from being cleaned up."""
    for each in STOPPING:
        signal.signal(each, signal.SIG_IGN)
    tell("stopping: the servers and folders of this run go first")
    raise KeyboardInterrupt


if __name__ == "__main__":
    for each in STOPPING:
        signal.signal(each, _stop)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except (ToolchainError, OSError) as fault:
        sys.exit(f"error: {fault}")
