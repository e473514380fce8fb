"""A report as JSON, where null is what is not visible, and as Prometheus metrics, which leave that out."""

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

from engarde.output.findings import Remedy
from engarde.output.show import remedy_data
from engarde.status.connections import Connections
from engarde.status.exceeded import Exceeded
from engarde.status.report import Report, Server, Service
from engarde.status.statement_stats import StatementStats
from engarde.status.storage import Storage
from engarde.util.terminal import visible

Samples = Iterable[tuple[Sequence[str], float | None]]
"""The values of the labels, and the figure."""

REVISION = "Always 1; the label is a revision in the service's version table."
EXCEEDED = "Thresholds of the stack file that are exceeded."

Of = TypeVar("Of")
Figures = tuple[tuple[str, str, Callable[[Of], float | None]], ...]
"""Of each metric its name, what it is, and the figure."""

SERVER: Figures[Server] = (
    ("server_connections_used", "Client connections of the whole server.", lambda of: of.connections),
    ("server_connections_limit", "Connections that clients may open.", lambda of: of.room),
    ("server_connections_budget", "Largest sum of limits that the stack may have.", lambda of: of.budget),
    ("server_connections_allocated", "Sum of the stack's connection limits.", lambda of: of.allocated),
    ("server_blocked_sessions", "Sessions that wait for a lock.", lambda of: of.blocked),
    ("server_inactive_replication_slots", "Replication slots without a reader.", lambda of: len(of.inactive_slots)),
    ("server_start_time_seconds", "Start of the server, as a Unix time.", lambda of: of.seen.started),
    ("database_size_bytes", "Size of the database on disk.", lambda of: of.database_size),
    ("database_cache_hit_ratio", "Share of blocks found in the cache, 0 to 1.", lambda of: of.cache_hit_ratio),
    ("database_transaction_age", "Age of the oldest row, in transactions.", lambda of: of.seen.transaction_age),
    ("database_multixact_age", "Age of the oldest multixact.", lambda of: of.seen.multixact_age),
)
DATABASE: Figures[Server] = (
    ("database_blocks_hit", "Blocks found in the cache.", lambda of: of.seen.blocks_hit),
    ("database_blocks_read", "Blocks that had to be read.", lambda of: of.seen.blocks_read),
    ("database_deadlocks", "Deadlocks.", lambda of: of.seen.deadlocks),
    ("database_temp_bytes", "Bytes written to temporary files.", lambda of: of.seen.temp_bytes),
)
STORAGE: Figures[Storage] = (
    ("tables", "Tables; partitions of one table count as one.", lambda of: of.tables - len(of.unmeasured_tables)),
    ("unmeasured_tables", "Tables in no other figure, because they are locked.", lambda of: len(of.unmeasured_tables)),
    ("rows", "Rows, as far as the server knows.", lambda of: of.rows),
    ("dead_rows", "Dead rows that vacuum has not removed yet.", lambda of: of.dead_rows),
    ("wraparound_transactions_left", "Transactions left before wraparound.", lambda of: of.transactions_left),
    ("wraparound_multixacts_left", "Multixacts left before wraparound.", lambda of: of.multixacts_left),
    ("unused_indexes", "Indexes that no query has used.", lambda of: len(of.unused_indexes)),
    ("duplicate_indexes", "Indexes that duplicate another one.", lambda of: len(of.duplicate_indexes)),
    ("invalid_indexes", "Indexes whose build failed; no query uses them.", lambda of: len(of.invalid_indexes)),
    ("autovacuum_off_tables", "Tables for which autovacuum is off.", lambda of: len(of.autovacuum_off)),
)
CONNECTIONS: Figures[Connections] = (
    ("connections_used", "Sessions of the service's roles.", lambda of: of.used),
    ("connections_limit", "Connection limit of the service's roles.", lambda of: of.limit),
    ("longest_transaction_seconds", "Age of the oldest open transaction.", lambda of: of.longest_transaction_seconds),
    (
        "longest_idle_in_transaction_seconds",
        "Longest time that a transaction has waited for its client.",
        lambda of: of.longest_idle_in_transaction_seconds,
    ),
    ("blocked_sessions", "Sessions that wait for a lock.", lambda of: len(of.blocked)),
)
STATEMENTS: Figures[StatementStats] = (
    ("statements", "Statements that finished.", lambda of: of.calls),
    ("statement_seconds", "Time that these statements took.", lambda of: of.total_milliseconds / 1000),
    ("statement_rows", "Rows that these statements returned or changed.", lambda of: of.rows),
    ("statement_blocks_hit", "Blocks found in the cache.", lambda of: of.blocks_hit),
    ("statement_blocks_read", "Blocks that had to be read.", lambda of: of.blocks_read),
    ("statement_temp_blocks", "Blocks written to temporary files.", lambda of: of.temp_blocks),
    ("tool_statements", "Statements of this tool, which are in no other metric.", lambda of: of.tool_calls),
    ("tool_statement_seconds", "Time that the statements of this tool took.", lambda of: of.tool_milliseconds / 1000),
)


def data(report: Report, exceeded: Sequence[Exceeded]) -> dict[str, Any]:
    """The members of the JSON object."""
    server, seen = report.server, report.server.seen
    return {
        "stack": report.stack,
        "database": report.database,
        "time": _time(report.at),
        "server": {
            "version": seen.version,
            "startedAt": _time(seen.started),
            "standby": seen.standby,
            "connections": {
                "used": server.connections,
                "limit": server.room,
                "otherRoles": dict(server.others),
                "blockedSessions": server.blocked,
            },
            "connectionBudget": {
                "used": server.used_by_stack,
                "limit": server.budget,
                "allocated": server.allocated,
            },
            "databaseBytes": server.database_size,
            "cacheHitRatio": server.cache_hit_ratio,
            "deadlocks": seen.deadlocks,
            "inactiveReplicationSlots": _data(server.inactive_slots),
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
        "exceeded": _data(exceeded),
    }


def _service(service: Service, queries: bool) -> dict[str, Any]:
    statements = _data(service.statements)
    if statements:
        del statements["blocksHit"], statements["blocksRead"]
        for slow in () if queries else (*statements["byTotal"], *statements["byMean"]):
            del slow["query"]
    return {
        "service": service.subject.name,
        "schemas": list(service.subject.schemas),
        "roles": list(service.subject.roles),
        "storage": _data(service.storage),
        "connections": _data(service.connections),
        "statements": statements,
        "revisions": _data(service.revisions),
    }


def _data(value: Any) -> Any:
    """A value of a report; of a dataclass its fields, and its remedy if it has one."""
    if isinstance(value, Remedy):
        return remedy_data(value)
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
    """The metrics, as a scrape or the node exporter's textfile collector reads them."""
    named = [(service.subject.name, service) for service in report.services]
    revisions = (((name, one), 1) for name, service in named for one in service.revisions or ())
    counted = Counter((found.service or "", found.threshold) for found in exceeded)
    metrics = [
        *_server(report),
        *_storage([(name, service.storage) for name, service in named if service.storage]),
        *_connections([(name, service.connections) for name, service in named]),
        *_statements([(name, service.statements) for name, service in named if service.statements]),
        _gauge("service_alembic_revision_info", REVISION, ("service", "revision"), revisions),
        _gauge("thresholds_exceeded", EXCEEDED, ("service", "threshold"), counted.items()),
    ]
    return told(metrics).removesuffix("\n")


def told(metrics: Iterable[Metric]) -> str:
    return generate_latest(_Visible(metrics)).decode()


class _Visible(Collector):
    """Metrics in whose labels every character is visible."""

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
    yield _gauge(
        "server_info",
        "Always 1; the labels are the version and the database.",
        ("version", "database"),
        [((version, report.database), 1)],
    )
    for name, text, figure in SERVER:
        if (value := figure(server)) is not None:
            yield _gauge(name, text, (), [((), value)])
    for name, text, figure in DATABASE:
        yield _counter(name, text, (), [((), figure(server))])
    others = (((role,), count) for role, count in server.others.items())
    retained = (((slot.slot,), slot.retained_bytes) for slot in server.inactive_slots)
    yield _gauge("server_inactive_replication_slot_retained_bytes", "WAL kept for the slot.", ("slot",), retained)
    yield _gauge("server_other_connections", "Client connections of roles outside of the stack.", ("role",), others)


def _storage(found: Sequence[tuple[str, Storage]]) -> Iterator[Metric]:
    sizes = (
        ((name, part), size)
        for name, of in found
        for part, size in (("heap", of.bytes.heap), ("indexes", of.bytes.indexes), ("toast", of.bytes.toast))
    )
    yield _gauge("service_size_bytes", "Size of the service's schemas on disk.", ("service", "part"), sizes)
    yield from _by_service(_gauge, STORAGE, found)
    tables = (
        ((name, table.schema, table.table), table.bytes.total) for name, of in found for table in of.largest_tables
    )
    text = "Size of the largest tables, with indexes and TOAST."
    yield _gauge("table_size_bytes", text, ("service", "schema", "table"), tables)
    near = (
        ((name, near.schema, near.sequence), near.used_ratio) for name, of in found for near in of.sequences_near_end
    )
    yield _gauge(
        "sequence_used_ratio",
        "Share of the range that a sequence near its end has used, 0 to 1.",
        ("service", "schema", "sequence"),
        near,
    )


def _connections(found: Sequence[tuple[str, Connections]]) -> Iterator[Metric]:
    states = (((name, state), count) for name, of in found for state, count in (of.states or {}).items())
    yield _gauge("service_connections", "Sessions of the service's roles by state.", ("service", "state"), states)
    yield from _by_service(_gauge, CONNECTIONS, found)
    held = Counter[tuple[str, str, str]]()
    for service, of in found:
        for lock in of.locks_in_other_schemas:
            held[service, lock.schema, lock.mode] += lock.count if lock.granted else 0
    locks = ((labels, count) for labels, count in held.items() if count)
    text = "Locks that the service holds in another service's schema."
    yield _gauge("service_locks_in_other_schemas", text, ("service", "schema", "mode"), locks)


def _statements(found: Sequence[tuple[str, StatementStats]]) -> Iterator[Metric]:
    yield from _by_service(_counter, STATEMENTS, found)
    labels = ("service", "queryid")
    slowest = {
        (name, slow.query_id): slow for name, of in found for slow in (*of.by_total, *of.by_mean) if slow.query_id
    }
    seconds = ((who, slow.total_milliseconds / 1000) for who, slow in slowest.items())
    yield _counter("statement_seconds", "Time that the slowest statements took.", labels, seconds)
    calls = ((who, slow.calls) for who, slow in slowest.items())
    yield _counter("statement_calls", "Calls of the slowest statements.", labels, calls)
