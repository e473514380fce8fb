"""A report as JSON: null is what was not seen, or cannot be."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from engarde.status.exceeded import Exceeded
from engarde.status.report import Report, Server, Service
from engarde.status.statement_stats import StatementStats


def data(report: Report, exceeded: Sequence[Exceeded]) -> dict[str, Any]:
    """The members of the object."""
    return {
        "stack": report.stack,
        "database": report.database,
        "at": _time(report.at),
        "server": _server(report.server),
        "services": [_service(service, report.queries) for service in report.services],
        "notVisible": _data(report.unseen),
        "passed": _data(exceeded),
    }


def _data(value: Any) -> Any:
    """A value of these modules: of a dataclass, its fields by their names."""
    if is_dataclass(value):
        return {_key(field.name): _member(field.name, getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    return [_data(item) for item in value] if isinstance(value, tuple | list) else value


def _key(name: str) -> str:
    return re.sub("_(.)", lambda letter: letter[1].upper(), name)


def _member(name: str, value: Any) -> Any:
    return _time(value) if name.endswith("_at") else _data(value)


def _time(then: float | None) -> str | None:
    return None if then is None else datetime.fromtimestamp(then, UTC).isoformat(timespec="seconds")


def _server(server: Server) -> dict[str, Any]:
    seen = server.seen
    return {
        "version": seen.version,
        "startedAt": _time(seen.started),
        "standby": seen.standby,
        "connections": {
            "used": server.connections,
            "room": server.room,
            "others": dict(server.others),
            "blocked": server.blocked,
        },
        "budget": {"limit": server.budget, "promised": server.promised, "used": server.used_by_stack},
        "databaseBytes": server.database_size,
        "cacheHit": server.cache_hit,
        "deadlocks": seen.deadlocks,
        "tempBytes": seen.temp_bytes,
        "countedSince": _time(seen.counted_since),
        "transactionAge": seen.transaction_age,
        "multixactAge": seen.multixact_age,
        "settings": {
            setting.name: {"value": setting.value, "waitsForRestart": setting.waits_for_restart}
            for setting in server.settings.values()
        },
    }


def _service(service: Service, queries: bool) -> dict[str, Any]:
    storage = _data(service.storage)
    if storage:
        storage["bytes"] = {"tables": storage["bytes"].pop("table"), **storage["bytes"]}
    return {
        "service": service.subject.name,
        "schemas": list(service.subject.schemas),
        "roles": list(service.subject.roles),
        "storage": storage,
        "connections": _data(service.connections),
        "statements": _statements(service.statements, queries) if service.statements else None,
        "revision": _data(service.revision),
    }


def _statements(statements: StatementStats, queries: bool) -> dict[str, Any]:
    made: dict[str, Any] = _data(statements)
    del made["blocksHit"], made["blocksRead"]
    for slow in () if queries else (*made["byTotal"], *made["byMean"]):
        del slow["query"]
    return made
