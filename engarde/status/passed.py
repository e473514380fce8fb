"""The thresholds of the stack file that a report passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from engarde.declaration.model import DatabaseStack
from engarde.status.report import Report, Service
from engarde.status.words import of_bytes

Threshold = Literal["size", "connections", "slowStatement", "databaseSize"]
SERVER = "server"


@dataclass(frozen=True, slots=True)
class Passed:
    """A threshold, and what is beyond it."""

    service: str | None
    """None for the whole server"""
    threshold: Threshold
    limit: float
    actual: float
    said: str


def passed(stack: DatabaseStack, report: Report) -> tuple[Passed, ...]:
    """Every one that is passed; what is not seen passes none."""
    return (*_of_server(stack, report), *(each for service in report.services for each in _of_service(service)))


def _of_server(stack: DatabaseStack, report: Report) -> Iterator[Passed]:
    limits, whole = stack.status, report.whole
    if limits.database_size is not None and (whole.database_size or 0) > limits.database_size:
        size = whole.database_size or 0
        said = f"{of_bytes(size)} of at most {of_bytes(limits.database_size)}"
        yield Passed(None, "databaseSize", limits.database_size, size, said)
    if limits.connections is not None and whole.connections * 100 > whole.room * limits.connections:
        share = whole.connections * 100 / max(whole.room, 1)
        said = f"{whole.connections} of {whole.room} connections are in use, more than {limits.connections} %"
        yield Passed(None, "connections", limits.connections, share, said)


def _of_service(service: Service) -> Iterator[Passed]:
    limits, name, used = service.subject.thresholds, service.subject.name, service.connections
    if limits.size is not None and service.stored:
        size = service.stored.sum(lambda each: each.total)
        if size > limits.size:
            yield Passed(name, "size", limits.size, size, f"{of_bytes(size)} of at most {of_bytes(limits.size)}")
    if limits.connections is not None and used.limit and used.total * 100 > used.limit * limits.connections:
        said = f"{used.total} of {used.limit} connections are in use, more than {limits.connections} %"
        yield Passed(name, "connections", limits.connections, used.total * 100 / used.limit, said)
    if limits.slow_statement is not None and service.ran:
        for each in service.ran.by_mean:
            if each.mean > limits.slow_statement:
                what = each.query or (f"query {each.queryid}" if each.queryid is not None else "a statement")
                said = f"{each.mean:.0f} ms in the mean, more than {limits.slow_statement}: {what}"
                yield Passed(name, "slowStatement", limits.slow_statement, each.mean, said)
