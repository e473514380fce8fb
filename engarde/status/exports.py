"""A report as JSON, where null is what was not seen or cannot be, and in Prometheus' text format, which has no such."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from prometheus_client import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engarde.status.connections import Connections
from engarde.status.exceeded import Exceeded
from engarde.status.report import Report, Server, Service
from engarde.status.statement_stats import StatementStats
from engarde.status.storage import Storage
from engarde.util.terminal import visible

Samples = Iterable[tuple[Sequence[str], float | None]]
"""The values of the labels, and the figure."""

REVISION = "1 for each revision of the version table."
PASSED = "Thresholds of the stack file that are passed."

Of = TypeVar("Of")
Figures = tuple[tuple[str, str, Callable[[Of], float | None]], ...]
"""Of each metric its name, what it is, and the figure."""

SERVER: Figures[Server] = (
    ("server_connections_used", "Clients of the whole server.", lambda of: of.connections),
    ("server_connections_room", "Connections that clients may have.", lambda of: of.room),
    ("server_connections_budget", "What the stack's limits together may reach.", lambda of: of.budget),
    ("server_connections_promised", "The stack's limits together.", lambda of: of.promised),
    ("server_blocked_sessions", "Sessions that wait for a lock.", lambda of: of.blocked),
    ("server_inactive_slots", "Replication slots that nobody reads from.", lambda of: len(of.inactive_slots)),
    ("server_start_time_seconds", "When the server was started, since 1970.", lambda of: of.seen.started),
    ("database_size_bytes", "What the whole database takes on the disk.", lambda of: of.database_size),
    ("database_cache_hit_ratio", "Blocks found in the cache, of all asked for.", lambda of: of.cache_hit),
    ("database_transaction_age", "Age of the oldest row, in transactions.", lambda of: of.seen.transaction_age),
    ("database_multixact_age", "Age of the oldest multixact.", lambda of: of.seen.multixact_age),
)
DATABASE: Figures[Server] = (
    ("database_blocks_hit", "Blocks found in the cache.", lambda of: of.seen.blocks_hit),
    ("database_blocks_read", "Blocks that had to be read.", lambda of: of.seen.blocks_read),
    ("database_deadlocks", "Deadlocks.", lambda of: of.seen.deadlocks),
    ("database_temp_bytes", "Written to temporary files.", lambda of: of.seen.temp_bytes),
)
STORAGE: Figures[Storage] = (
    ("tables", "Tables, partitions of one counted as one.", lambda of: of.tables - len(of.not_measured)),
    ("unmeasured_tables", "Tables in no sum, as something of them is locked.", lambda of: len(of.not_measured)),
    ("rows", "Rows, as far as the server knows.", lambda of: of.rows),
    ("dead_rows", "Dead rows that vacuum has not removed.", lambda of: of.dead_rows),
    ("wraparound_transactions_left", "Transactions before the oldest row wraps.", lambda of: of.transactions_left),
    ("wraparound_multixacts_left", "Multixacts before the oldest one wraps.", lambda of: of.multixacts_left),
    ("unused_indexes", "Indexes that nobody has used.", lambda of: len(of.unused_indexes)),
    ("duplicate_indexes", "Indexes that another one makes needless.", lambda of: len(of.duplicate_indexes)),
    ("invalid_indexes", "Indexes that no query uses, as building them failed.", lambda of: len(of.invalid_indexes)),
    ("autovacuum_off_tables", "Tables for which autovacuum is off.", lambda of: len(of.autovacuum_off)),
)
CONNECTIONS: Figures[Connections] = (
    ("connections_used", "Sessions of the service's roles.", lambda of: of.total),
    ("connections_limit", "What its roles may have of them.", lambda of: of.limit),
    ("longest_transaction_seconds", "Age of its oldest open transaction.", lambda of: of.longest_transaction_seconds),
    (
        "longest_idle_in_transaction_seconds",
        "Longest wait of a transaction for its client.",
        lambda of: of.longest_idle_in_transaction_seconds,
    ),
    ("blocked_sessions", "Sessions that wait for a lock.", lambda of: len(of.blocked)),
)
STATEMENTS: Figures[StatementStats] = (
    ("statements", "Statements that ran to their end.", lambda of: of.calls),
    ("statement_seconds", "Time that they took.", lambda of: of.total_milliseconds / 1000),
    ("statement_rows", "Rows that they returned or changed.", lambda of: of.rows),
    ("statement_blocks_hit", "Blocks found in the cache.", lambda of: of.blocks_hit),
    ("statement_blocks_read", "Blocks that had to be read.", lambda of: of.blocks_read),
    ("statement_temp_blocks", "Blocks written to temporary files.", lambda of: of.temp_blocks),
    ("tool_statements", "Statements of this tool's, which are in no other figure.", lambda of: of.tool_calls),
    ("tool_statement_seconds", "Time that these took.", lambda of: of.tool_milliseconds / 1000),
)


def data(report: Report, exceeded: Sequence[Exceeded]) -> dict[str, Any]:
    """The members of the JSON object."""
    server, seen = report.server, report.server.seen
    return {
        "stack": report.stack,
        "database": report.database,
        "at": _time(report.at),
        "server": {
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
            "inactiveSlots": _data(server.inactive_slots),
            "tempBytes": seen.temp_bytes,
            "countedSince": _time(seen.counted_since),
            "transactionAge": seen.transaction_age,
            "multixactAge": seen.multixact_age,
            "settings": {
                setting.name: {"value": setting.value, "waitsForRestart": setting.waits_for_restart}
                for setting in server.settings.values()
            },
        },
        "services": [_service(service, report.queries) for service in report.services],
        "notVisible": _data(report.unseen),
        "passed": _data(exceeded),
    }


def _service(service: Service, queries: bool) -> dict[str, Any]:
    storage, statements = _data(service.storage), _data(service.statements)
    if storage:
        storage["bytes"] = {"tables": storage["bytes"].pop("table"), **storage["bytes"]}
    if statements:
        del statements["blocksHit"], statements["blocksRead"]
        for slow in () if queries else (*statements["byTotal"], *statements["byMean"]):
            del slow["query"]
    return {
        "service": service.subject.name,
        "schemas": list(service.subject.schemas),
        "roles": list(service.subject.roles),
        "storage": storage,
        "connections": _data(service.connections),
        "statements": statements,
        "revision": _data(service.revision),
    }


def _data(value: Any) -> Any:
    """A value of a report: of a dataclass, its fields by their names, and its remedy if it has one."""
    if is_dataclass(value):
        names = [*(field.name for field in fields(value)), *(["remedy"] if hasattr(value, "remedy") else [])]
        members = {name: getattr(value, name) for name in names}
        return {
            re.sub("_(.)", lambda letter: letter[1].upper(), name): _time(of) if name.endswith("_at") else _data(of)
            for name, of in members.items()
        }
    if isinstance(value, Mapping):
        return dict(value)
    return [_data(item) for item in value] if isinstance(value, tuple | list) else value


def _time(then: float | None) -> str | None:
    return None if then is None else datetime.fromtimestamp(then, UTC).isoformat(timespec="seconds")


def prometheus(report: Report, exceeded: Sequence[Exceeded]) -> str:
    """What a scrape, or a text file for the node exporter, is given."""
    named = [(service.subject.name, service) for service in report.services]
    revisions = (((name, one), 1) for name, service in named for one in service.revision or ())
    passed = Counter((found.service or "", found.threshold) for found in exceeded)
    metrics = [
        *_server(report),
        *_storage([(name, service.storage) for name, service in named if service.storage]),
        *_connections([(name, service.connections) for name, service in named]),
        *_statements([(name, service.statements) for name, service in named if service.statements]),
        _gauge("service_alembic_revision_info", REVISION, ("service", "revision"), revisions),
        _gauge("thresholds_passed", PASSED, ("service", "threshold"), passed.items()),
    ]
    return told(metrics).removesuffix("\n")


def told(metrics: Iterable[Metric]) -> str:
    return generate_latest(_Visible(metrics)).decode()


class _Visible(Collector):
    """Metrics whose labels can all be seen."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = [*metrics]
        for metric in self._metrics:
            for at, sample in enumerate(metric.samples):
                # With its backslashes doubled, no name becomes another's: two samples of one series break a scrape.
                shown = {key: visible(name.replace("\\", "\\\\")) for key, name in sample.labels.items()}
                metric.samples[at] = sample._replace(labels=shown)

    def collect(self) -> Iterator[Metric]:
        return iter(self._metrics)


def _metric(
    family: type[GaugeMetricFamily | CounterMetricFamily], name: str, text: str, labels: Sequence[str], samples: Samples
) -> Metric:
    made = family(f"engarde_{name}", text, labels=labels)
    for values, figure in samples:
        if figure is not None:
            made.add_metric(values, figure)
    return made


_gauge, _counter = partial(_metric, GaugeMetricFamily), partial(_metric, CounterMetricFamily)


def _by_service(
    metric: Callable[..., Metric], figures: Figures[Of], found: Sequence[tuple[str, Of]]
) -> Iterator[Metric]:
    for name, text, figure in figures:
        yield metric(f"service_{name}", text, ("service",), [((service,), figure(of)) for service, of in found])


def _server(report: Report) -> Iterator[Metric]:
    server, version = report.server, report.server.seen.version
    yield _gauge("server_info", "1, with the version.", ("version", "database"), [((version, report.database), 1)])
    for name, text, figure in SERVER:
        if (value := figure(server)) is not None:
            yield _gauge(name, text, (), [((), value)])
    for name, text, figure in DATABASE:
        yield _counter(name, text, (), [((), figure(server))])
    others = (((role,), count) for role, count in server.others.items())
    retained = (((slot.name,), slot.retained_bytes) for slot in server.inactive_slots)
    yield _gauge("server_inactive_slot_retained_bytes", "WAL that is kept for it.", ("slot",), retained)
    yield _gauge("server_other_connections", "Clients that are nobody's in the stack.", ("role",), others)


def _storage(found: Sequence[tuple[str, Storage]]) -> Iterator[Metric]:
    sizes = (
        ((name, part), size)
        for name, of in found
        for part, size in (("tables", of.bytes.table), ("indexes", of.bytes.indexes), ("toast", of.bytes.toast))
    )
    yield _gauge("service_size_bytes", "What the service's schemas take on the disk.", ("service", "part"), sizes)
    yield from _by_service(_gauge, STORAGE, found)
    tables = (((name, table.schema, table.name), table.bytes.total) for name, of in found for table in of.largest)
    text = "The largest tables, with indexes and TOAST."
    yield _gauge("table_size_bytes", text, ("service", "schema", "table"), tables)
    near = (((name, near.schema, near.name), near.used) for name, of in found for near in of.sequences_near_end)
    yield _gauge("sequence_used_ratio", "Sequences near their end.", ("service", "schema", "sequence"), near)


def _connections(found: Sequence[tuple[str, Connections]]) -> Iterator[Metric]:
    states = (((name, state), count) for name, of in found for state, count in (of.states or {}).items())
    yield _gauge("service_connections", "Sessions of the service's roles by state.", ("service", "state"), states)
    yield from _by_service(_gauge, CONNECTIONS, found)
    held = Counter[tuple[str, str, str]]()
    for service, of in found:
        for lock in of.locks_elsewhere:
            held[service, lock.schema, lock.mode] += lock.count if lock.granted else 0
    locks = ((labels, count) for labels, count in held.items() if count)
    text = "Locks that the service holds in another's schema."
    yield _gauge("service_locks_elsewhere", text, ("service", "schema", "mode"), locks)


def _statements(found: Sequence[tuple[str, StatementStats]]) -> Iterator[Metric]:
    yield from _by_service(_counter, STATEMENTS, found)
    labels = ("service", "queryid")
    slowest = {
        (name, slow.query_id): slow for name, of in found for slow in (*of.by_total, *of.by_mean) if slow.query_id
    }
    seconds = ((who, slow.total_milliseconds / 1000) for who, slow in slowest.items())
    yield _counter("statement_seconds", "The statements that took longest.", labels, seconds)
    calls = ((who, slow.calls) for who, slow in slowest.items())
    yield _counter("statement_calls", "How often each of them ran.", labels, calls)
