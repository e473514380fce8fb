"""A report in Prometheus' text format; a figure that was not seen is absent."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engarde.status.exceeded import Exceeded
from engarde.status.report import Report, Service
from engarde.status.statement_stats import StatementStats
from engarde.util.terminal import visible

Samples = Iterable[tuple[Sequence[str], float | None]]
"""The values of the labels, and the figure."""


def prometheus(report: Report, exceeded: Sequence[Exceeded]) -> str:
    """What a scrape, or a text file for the node exporter, is given."""
    metrics = [*_server(report), *_services(report.services), _thresholds(exceeded)]
    return told(metrics).removesuffix("\n")


def told(metrics: Iterable[Metric]) -> str:
    """These metrics as text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(metrics))
    return generate_latest(registry).decode()


class _Told(Collector):
    """Metrics that are there already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)
        for metric in self._metrics:
            metric.samples = [sample._replace(labels=_visible(sample.labels)) for sample in metric.samples]

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        return self._metrics


def _visible(labels: Mapping[str, str]) -> dict[str, str]:
    # With its backslashes doubled, no name becomes another's: two samples of one series break a scrape.
    return {key: visible(name.replace("\\", "\\\\")) for key, name in labels.items()}


def _metric(
    family: type[GaugeMetricFamily | CounterMetricFamily], name: str, text: str, labels: Sequence[str], samples: Samples
) -> Metric:
    made = family(f"engarde_{name}", text, labels=labels)
    for values, figure in samples:
        if figure is not None:
            made.add_metric(values, figure)
    return made


_gauge, _counter = partial(_metric, GaugeMetricFamily), partial(_metric, CounterMetricFamily)


def _thresholds(exceeded: Sequence[Exceeded]) -> Metric:
    counted = Counter((found.service or "", found.threshold) for found in exceeded)
    text = "Thresholds of the stack file that are passed."
    return _gauge("thresholds_passed", text, ("service", "threshold"), counted.items())


def _server(report: Report) -> Iterator[Metric]:
    """Each figure of the server and of the stack's database."""
    server, seen = report.server, report.server.seen
    yield _gauge("server_info", "1, with the version.", ("version", "database"), [((seen.version, report.database), 1)])
    for name, text, value in (
        ("server_connections_used", "Clients of the whole server.", server.connections),
        ("server_connections_room", "Connections that clients may have.", server.room),
        ("server_connections_budget", "What the stack's limits together may reach.", server.budget),
        ("server_connections_promised", "The stack's limits together.", server.promised),
        ("server_blocked_sessions", "Sessions that wait for a lock.", server.blocked),
        ("server_start_time_seconds", "When the server was started, since 1970.", seen.started),
        ("database_size_bytes", "What the whole database takes on the disk.", server.database_size),
        ("database_cache_hit_ratio", "Blocks found in the cache, of all asked for.", server.cache_hit),
        ("database_transaction_age", "Age of the oldest row, in transactions.", seen.transaction_age),
        ("database_multixact_age", "Age of the oldest multixact.", seen.multixact_age),
    ):
        if value is not None:
            yield _gauge(name, text, (), [((), value)])
    for name, text, counted in (
        ("database_blocks_hit", "Blocks found in the cache.", seen.blocks_hit),
        ("database_blocks_read", "Blocks that had to be read.", seen.blocks_read),
        ("database_deadlocks", "Deadlocks.", seen.deadlocks),
        ("database_temp_bytes", "Written to temporary files.", seen.temp_bytes),
    ):
        yield _counter(name, text, (), [((), counted)])
    others = (((role,), count) for role, count in server.others.items())
    yield _gauge("server_other_connections", "Clients that are nobody's in the stack.", ("role",), others)


def _services(services: Sequence[Service]) -> Iterator[Metric]:
    yield from _storage(services)
    yield from _connections(services)
    yield from _statements(services)
    revisions = (((service.subject.name, one), 1) for service in services for one in service.revision or ())
    text = "1 for each revision of the version table."
    yield _gauge("service_alembic_revision_info", text, ("service", "revision"), revisions)


def _storage(services: Sequence[Service]) -> Iterator[Metric]:
    found = [(service.subject.name, service.storage) for service in services if service.storage]
    sizes = [
        ((name, part), size)
        for name, of in found
        for part, size in (("tables", of.bytes.table), ("indexes", of.bytes.indexes), ("toast", of.bytes.toast))
    ]
    yield _gauge("service_size_bytes", "What the service's schemas take on the disk.", ("service", "part"), sizes)
    for name, text, value in (
        ("tables", "Tables, partitions of one counted as one.", lambda of: of.tables - len(of.not_measured)),
        ("unmeasured_tables", "Tables in no sum, as something of them is locked.", lambda of: len(of.not_measured)),
        ("rows", "Rows, as far as the server knows.", lambda of: of.rows),
        ("dead_rows", "Dead rows that vacuum has not removed.", lambda of: of.dead_rows),
        ("wraparound_transactions_left", "Transactions before the oldest row wraps.", lambda of: of.transactions_left),
        ("wraparound_multixacts_left", "Multixacts before the oldest one wraps.", lambda of: of.multixacts_left),
        ("unused_indexes", "Indexes that nobody has used.", lambda of: len(of.unused_indexes)),
        ("duplicate_indexes", "Indexes that another one makes needless.", lambda of: len(of.duplicate_indexes)),
    ):
        yield _gauge(f"service_{name}", text, ("service",), [((service,), value(of)) for service, of in found])
    tables = (((name, table.schema, table.name), table.bytes.total) for name, of in found for table in of.largest)
    text = "The largest tables, with indexes and TOAST."
    yield _gauge("table_size_bytes", text, ("service", "schema", "table"), tables)
    near = (((name, near.schema, near.name), near.used) for name, of in found for near in of.sequences_near_end)
    yield _gauge("sequence_used_ratio", "Sequences near their end.", ("service", "schema", "sequence"), near)


def _connections(services: Sequence[Service]) -> Iterator[Metric]:
    found = [(service.subject.name, service.connections) for service in services]
    states = (((name, state), count) for name, of in found for state, count in (of.states or {}).items())
    yield _gauge("service_connections", "Sessions of the service's roles by state.", ("service", "state"), states)
    for name, text, value in (
        ("connections_used", "Sessions of the service's roles.", lambda of: of.total),
        ("connections_limit", "What its roles may have of them.", lambda of: of.limit),
        (
            "longest_transaction_seconds",
            "Age of its oldest open transaction.",
            lambda of: of.longest_transaction_seconds,
        ),
        (
            "longest_idle_in_transaction_seconds",
            "Longest wait of a transaction for its client.",
            lambda of: of.longest_idle_in_transaction_seconds,
        ),
        ("blocked_sessions", "Sessions that wait for a lock.", lambda of: len(of.blocked)),
    ):
        yield _gauge(f"service_{name}", text, ("service",), [((service,), value(of)) for service, of in found])
    held = Counter[tuple[str, str, str]]()
    for service, of in found:
        for lock in of.locks_elsewhere:
            held[service, lock.schema, lock.mode] += lock.count if lock.granted else 0
    locks = ((labels, count) for labels, count in held.items() if count)
    text = "Locks that the service holds in another's schema."
    yield _gauge("service_locks_elsewhere", text, ("service", "schema", "mode"), locks)


def _statements(services: Sequence[Service]) -> Iterator[Metric]:
    found = [(service.subject.name, service.statements) for service in services if service.statements]
    figures: tuple[tuple[str, str, Callable[[StatementStats], float]], ...] = (
        ("statements", "Statements that ran to their end.", lambda of: of.calls),
        ("statement_seconds", "Time that they took.", lambda of: of.total_milliseconds / 1000),
        ("statement_rows", "Rows that they returned or changed.", lambda of: of.rows),
        ("statement_blocks_hit", "Blocks found in the cache.", lambda of: of.blocks_hit),
        ("statement_blocks_read", "Blocks that had to be read.", lambda of: of.blocks_read),
        ("statement_temp_blocks", "Blocks written to temporary files.", lambda of: of.temp_blocks),
    )
    for name, text, value in figures:
        yield _counter(f"service_{name}", text, ("service",), [((service,), value(of)) for service, of in found])
    slowest = {
        (name, slow.query_id): slow for name, of in found for slow in (*of.by_total, *of.by_mean) if slow.query_id
    }
    seconds = ((labels, slow.total_milliseconds / 1000) for labels, slow in slowest.items())
    calls = ((labels, slow.calls) for labels, slow in slowest.items())
    labels = ("service", "queryid")
    yield _counter("statement_seconds", "The statements that took longest.", labels, seconds)
    yield _counter("statement_calls", "How often each of them ran.", labels, calls)
