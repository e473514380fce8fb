"""Says on stderr what is being done and how long it took, so that stdout stays the engine's."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from engarde.util.terminal import tell
from engarde.util.visible import BREAKS, visible

INTERVAL = 10
"""How often a step that takes long says how far it is (seconds)."""


class Progress:
    """How far a step has come, for whoever tells the user."""

    note = "under way"


def say(line: str) -> None:
    tell(visible(line, keep=BREAKS))


def last_line(text: str) -> str:
    """What a command said last: why it failed, as a rule."""
    return text.strip().rpartition("\n")[2]


@contextmanager
def step(what: str) -> Iterator[Progress]:
    """Frames work that can take a while by its name and its duration, with a sign of life in between."""
    say(f"{what} ...")
    start, progress, ended = time.monotonic(), Progress(), threading.Event()

    def tell() -> None:
        while not ended.wait(INTERVAL):
            say(f"  {progress.note}, {time.monotonic() - start:.0f} s so far")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield progress
    finally:
        ended.set()
        teller.join()
        say(f"  took {time.monotonic() - start:.1f} s")
