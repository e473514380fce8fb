"""Who keeps something waiting that is at work on a server: looked for meanwhile, and named with what ends it."""

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
"""Stands in each sentence about a session in Pulumi's way, so that the tool finds it in what Pulumi prints."""


@dataclass(frozen=True, slots=True)
class Blocking:
    """A session that another one waits for."""

    waiting: int
    process: int
    role: str | None
    state: str | None
    statement: str | None
    """its last one, as its role wrote it"""
    seconds: int
    """of its transaction"""
    may_end: bool | None
    """whether the role that asked may end it"""

    @property
    def pair(self) -> tuple[int, int]:
        return self.waiting, self.process

    def sentence(self, keeps: str) -> str:
        """Who it is, the statement that ends it, and last its own one, in which a quoted name may spell all of this."""
        if not self.process:
            return f"a prepared transaction {keeps}: pg_prepared_xacts lists it, ROLLBACK PREPARED ends it"
        last = visible(masked(one_line(self.statement) or ""))
        who = f"{visible(self.role or 'a server process')} (process {self.process}, {self.state or 'state hidden'})"
        whose = "the admin" if self.may_end else "a superuser"
        end = f"{whose} ends it with SELECT pg_terminate_backend({self.process});"
        statement = f" its last statement: {last}" if last else ""
        return f"{who} {keeps} with a transaction of {self.seconds} s; {end}{statement}"


def accuses(sentence: str, role: str) -> bool:
    """Whether such a sentence is about a session of the role."""
    return sentence.startswith(f"{visible(role)} (process ")


@dataclass(slots=True)
class Watch:
    """Looks again and again; each session in the way is told once."""

    access: Access
    """of who may see and end the others"""
    role: str
    """whose sessions are at work, those that begin after the first look"""
    keeps: str
    """what somebody in the way does, such as `keeps Pulumi waiting`"""
    say: Callable[[str], None]
    application: str | None = None
    """what those sessions call themselves, as far as their driver lets them"""
    end: Callable[[], None] | None = None
    """ends what is at work, once it cannot go on"""
    reason: str = ""
    """why it was ended"""
    _begun: float | None = None
    """the server's time of the first look's session: one that is made anew is younger than those at work"""
    _named: bool = False
    """whether the driver hands the application's name on: then no session without it is at work"""
    _since: Mapping[tuple[int, int], float] = field(default_factory=dict)
    _told: frozenset[tuple[int, int]] = frozenset()
    _seen: float = field(default_factory=time.monotonic)
    """when it last had a session on the server"""

    def look(self, asked: Session) -> None:
        asked.execute_file("stat_anew")
        own = {"role": self.role, "application": self.application, "since": self._begun, "named": self._named}
        [(self._begun, self._named, there, in_the_way)] = asked.tuples("blocking", **own)
        found = [Blocking(**row) for row in in_the_way]
        now, before = time.monotonic(), self._since
        self._seen = now if there else self._seen
        self._since = {blocking.pair: before.get(blocking.pair, now) for blocking in found}
        for blocking in found:
            # One look may find what is over the next moment.
            if blocking.pair in before and blocking.pair not in self._told:
                self._told |= {blocking.pair}
                self.say(blocking.sentence(self.keeps))
            if now - self._since[blocking.pair] > seconds("blocked"):
                self._give_up(f"ended after {seconds('blocked'):.0f} s: {blocking.sentence(self.keeps)}")

    def judge(self) -> None:
        """Ends what has no session on the server any more, or none that can be seen because nobody answers."""
        if time.monotonic() - self._seen > seconds("gone"):
            self._give_up(f"ended after {seconds('gone'):.0f} s without a session on the server")

    def _give_up(self, reason: str) -> None:
        if self.end and not self.reason:
            self.reason = reason
            self.end()


@contextmanager
def watched(watch: Watch) -> Iterator[Watch]:
    """Watches what begins in the block for as long as it lasts; a server that does not answer is asked again.

    :raises Unreachable: it does not answer beforehand, so that what is at work could not be told from other sessions.
    """
    over = start(watch)
    try:
        yield watch
    finally:
        over.set()


def start(watch: Watch) -> threading.Event:
    """Watches what begins after this until the event is set.

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

    # What Pulumi's SDK knows of a run is known in its context alone.
    threading.Thread(target=copy_context().run, args=(ask,), daemon=True).start()
    return over
