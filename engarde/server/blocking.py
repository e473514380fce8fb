"""Finds sessions that block a running command, and names each with the statement that ends it."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field

from engarde.errors import EngardeError
from engarde.server.credentials import Access
from engarde.server.session import Session, session
from engarde.util.masking import masked, one_line
from engarde.util.terminal import visible
from engarde.util.timeouts import seconds

PULUMI = "keeps Pulumi waiting"
"""Part of each sentence about a session that blocks Pulumi; the tool looks for it in Pulumi's output."""


@dataclass(frozen=True, slots=True)
class Blocking:
    """A session that blocks another one."""

    waiting: int
    process: int
    role: str | None
    state: str | None
    statement: str | None
    """its last one, as the role wrote it"""
    seconds: int
    """of its transaction"""
    may_end: bool | None
    """whether the asking role may end it"""

    @property
    def pair(self) -> tuple[int, int]:
        return self.waiting, self.process

    def sentence(self, keeps: str) -> str:
        """The session and what ends it; its last statement comes last, because a name in it may spell all of this."""
        if not self.process:
            return f"a prepared transaction {keeps}: find it in pg_prepared_xacts, end it with ROLLBACK PREPARED"
        last = visible(masked(one_line(self.statement) or ""))
        who = f"{visible(self.role or 'a server process')} (process {self.process}, {self.state or 'state hidden'})"
        whose = "the admin" if self.may_end else "a superuser"
        end = f"{whose} ends it with SELECT pg_terminate_backend({self.process});"
        statement = f" its last statement: {last}" if last else ""
        return f"{who} {keeps} with a transaction of {self.seconds} s; {end}{statement}"


def accuses(sentence: str, role: str) -> bool:
    """Whether the sentence is about a session of the role."""
    return sentence.startswith(f"{visible(role)} (process ")


@dataclass(slots=True)
class Watch:
    """Looks repeatedly, and reports each blocking session once."""

    access: Access
    """the login that may see and end other sessions"""
    role: str
    """the role of the sessions that are watched: those that begin after the first look"""
    keeps: str
    """what a blocking session does, such as `keeps Pulumi waiting`"""
    say: Callable[[str], None]
    application: str | None = None
    """the application name of these sessions, if their driver passes it on"""
    end: Callable[[], None] | None = None
    """ends the command if it cannot go on"""
    reason: str = ""
    """why it was ended"""
    _begun: float | None = None
    """the server's time at the first look; a session that is opened again later is younger than those watched"""
    _named: bool = False
    """whether the driver passes the application name on; then a session without it is not watched"""
    _since: Mapping[tuple[int, int], float] = field(default_factory=dict)
    _told: frozenset[tuple[int, int]] = frozenset()
    _seen: float = field(default_factory=time.monotonic)
    """when it last had a session on the server"""

    def look(self, asked: Session) -> None:
        own = {"role": self.role, "application": self.application, "since": self._begun, "named": self._named}
        [(self._begun, self._named, there, in_the_way)] = asked.tuples("blocking", **own)
        # CREATE INDEX CONCURRENTLY waits for the end of every transaction that has a snapshot.
        asked.begin_again()
        found = [Blocking(**row) for row in in_the_way]
        now, before = time.monotonic(), self._since
        self._seen = now if there else self._seen
        self._since = {blocking.pair: before.get(blocking.pair, now) for blocking in found}
        for blocking in found:
            # What one look finds may be over a moment later.
            if blocking.pair in before and blocking.pair not in self._told:
                self._told |= {blocking.pair}
                self.say(blocking.sentence(self.keeps))
            if now - self._since[blocking.pair] > seconds("blocked"):
                self._give_up(f"ended after {seconds('blocked'):.0f} s: {blocking.sentence(self.keeps)}")

    def judge(self) -> None:
        """Ends the command if it has had no session on the server for too long, or the server does not answer."""
        if time.monotonic() - self._seen > seconds("gone"):
            self._give_up(f"ended after {seconds('gone'):.0f} s without a session on the server")

    def _give_up(self, reason: str) -> None:
        if self.end and not self.reason:
            self.reason = reason
            self.end()


@contextmanager
def watched(watch: Watch) -> Iterator[Watch]:
    """Watches the sessions that begin in the block, until its end; a server that does not answer is asked again.

    :raises Unreachable: it does not answer at the start, so that these sessions could not be told from others.
    """
    over = start(watch)
    try:
        yield watch
    finally:
        over.set()


def start(watch: Watch) -> threading.Event:
    """Watches the sessions that begin from now on, until the event is set.

    :raises Unreachable: the server does not answer now.
    """
    with session(watch.access, one_snapshot=False) as asked:
        watch.look(asked)
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                with session(watch.access, one_snapshot=False) as asked:
                    while not over.wait(seconds("watch")):
                        watch.look(asked)
                        watch.judge()
            except EngardeError:
                watch.judge()
                over.wait(seconds("watch"))

    # Pulumi's SDK keeps what it knows of a run in the context.
    threading.Thread(target=copy_context().run, args=(ask,), daemon=True).start()
    return over
