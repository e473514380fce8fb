"""A report in Prometheus' text format; a figure that was not seen is absent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engarde.status.passed import Passed
from engarde.status.prometheus_server import of_server
from engarde.status.report import Report, Service
from engarde.status.storage import LARGEST, Stored
from engarde.util.visible import visible

SERVICE = "service"


def as_prometheus(report: Report, passed: Sequence[Passed]) -> str:
    """What a scrape, or a text file for the node exporter, is given."""
    return told([*of_server(report), *_of_services(report.services), *_of_thresholds(passed)])


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
            metric.samples = [each._replace(labels=_visible(each.labels)) for each in metric.samples]

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        return self._metrics


def _visible(labels: Mapping[str, str]) -> dict[str, str]:
    # With its backslashes doubled, no name becomes another's: two samples of one series break a scrape.
    return {key: visible(name.replace("\\", "\\\\")) for key, name in labels.items()}


def _of_thresholds(passed: Sequence[Passed]) -> Iterator[Metric]:
    found = GaugeMetricFamily(
        "engarde_thresholds_passed", "Thresholds of the stack file that are passed.", labels=["service", "threshold"]
    )
    counted: dict[tuple[str, str], int] = {}
    for each in passed:
        key = each.service or "", each.threshold
        counted[key] = counted.get(key, 0) + 1
    for labels, count in counted.items():
        found.add_metric(labels, count)
    yield found


def _of_services(services: Sequence[Service]) -> Iterator[Metric]:
    yield from _of_storage(services)
    yield from _of_tables(services)
    yield from _of_connections(services)
    yield from _of_statements(services)
    revision = GaugeMetricFamily(
        "engarde_service_alembic_revision_info",
        "1 for each revision of the version table.",
        labels=[SERVICE, "revision"],
    )
    for each in services:
        for one in each.revision or ():
            revision.add_metric([each.subject.name, one], 1)
    yield revision


def _gauge(name: str, text: str, found: Iterable[tuple[str, float | None]]) -> Metric:
    family = GaugeMetricFamily(f"engarde_service_{name}", text, labels=[SERVICE])
    for service, value in found:
        if value is not None:
            family.add_metric([service], value)
    return family


def _counter(name: str, text: str, found: Iterable[tuple[str, float | None]]) -> Metric:
    family = CounterMetricFamily(f"engarde_service_{name}", text, labels=[SERVICE])
    for service, value in found:
        if value is not None:
            family.add_metric([service], value)
    return family


def _of_storage(services: Sequence[Service]) -> Iterator[Metric]:
    with_schema = [(each.subject.name, each.stored) for each in services if each.stored]
    size = GaugeMetricFamily(
        "engarde_service_size_bytes", "What the service's schemas take on the disk.", labels=[SERVICE, "part"]
    )
    for name, stored in with_schema:
        size.add_metric([name, "tables"], stored.sum(lambda each: each.table))
        size.add_metric([name, "indexes"], stored.sum(lambda each: each.indexes))
        size.add_metric([name, "toast"], stored.sum(lambda each: each.toast))
    yield size
    for name, text, value in (
        ("tables", "Tables, partitions of one counted as one.", lambda of: len(of.tables)),
        ("unmeasured_tables", "Tables in no sum, as something of them is locked.", lambda of: len(of.unmeasured)),
        ("rows", "Rows, as far as the server knows.", lambda of: of.rows),
        ("dead_rows", "Dead rows that vacuum has not removed.", lambda of: of.sum(lambda each: each.dead)),
        ("wraparound_transactions_left", "Transactions before the oldest row wraps.", lambda of: of.transactions_left),
        ("wraparound_multixacts_left", "Multixacts before the oldest one wraps.", lambda of: of.multixacts_left),
        ("unused_indexes", "Indexes that nobody has used.", lambda of: len(of.unused)),
        ("duplicate_indexes", "Indexes that another one makes needless.", lambda of: len(of.duplicates)),
    ):
        yield _gauge(name, text, [(service, value(stored)) for service, stored in with_schema])


def _of_tables(services: Sequence[Service]) -> Iterator[Metric]:
    labels = [SERVICE, "schema", "table"]
    size = GaugeMetricFamily("engarde_table_size_bytes", "The largest tables, with indexes and TOAST.", labels=labels)
    used = GaugeMetricFamily(
        "engarde_sequence_used_ratio", "Sequences near their end.", labels=[SERVICE, "schema", "sequence"]
    )
    for each in services:
        stored: Stored | None = each.stored
        for table in stored.tables[:LARGEST] if stored else ():
            size.add_metric([each.subject.name, table.schema, table.name], table.total)
        for sequence in stored.sequences if stored else ():
            used.add_metric([each.subject.name, sequence.schema, sequence.name], sequence.used)
    yield from (size, used)


def _of_connections(services: Sequence[Service]) -> Iterator[Metric]:
    states = GaugeMetricFamily(
        "engarde_service_connections", "Sessions of the service's roles by state.", labels=[SERVICE, "state"]
    )
    for each in services:
        for state, count in (each.connections.states or {}).items():
            states.add_metric([each.subject.name, state], count)
    yield states
    found = [(each.subject.name, each.connections) for each in services]
    yield _gauge("connections_used", "Sessions of the service's roles.", ((n, c.total) for n, c in found))
    yield _gauge("connections_limit", "What its roles may have of them.", ((n, c.limit) for n, c in found))
    longest = ((n, c.longest_transaction) for n, c in found)
    yield _gauge("longest_transaction_seconds", "Age of its oldest open transaction.", longest)
    idle = ((n, c.longest_idle) for n, c in found)
    yield _gauge("longest_idle_in_transaction_seconds", "Longest wait of a transaction for its client.", idle)
    yield _gauge("blocked_sessions", "Sessions that wait for a lock.", ((n, len(c.blocked)) for n, c in found))
    locks = GaugeMetricFamily(
        "engarde_service_locks_elsewhere",
        "Locks that the service holds in another's schema.",
        labels=[SERVICE, "schema", "mode"],
    )
    held: dict[tuple[str, str, str], int] = {}
    for name, connections in found:
        for lock in connections.across:
            if lock.granted:
                key = name, lock.schema, lock.mode
                held[key] = held.get(key, 0) + lock.count
    for labels, count in held.items():
        locks.add_metric(labels, count)
    yield locks


def _of_statements(services: Sequence[Service]) -> Iterator[Metric]:
    found = [(each.subject.name, each.ran) for each in services if each.ran]
    yield _counter("statements", "Statements that ran to their end.", ((n, r.calls) for n, r in found))
    yield _counter("statement_seconds", "Time that they took.", ((n, r.total / 1000) for n, r in found))
    yield _counter("statement_rows", "Rows that they returned or changed.", ((n, r.rows) for n, r in found))
    yield _counter("statement_blocks_hit", "Blocks found in the cache.", ((n, r.hit) for n, r in found))
    yield _counter("statement_blocks_read", "Blocks that had to be read.", ((n, r.read) for n, r in found))
    yield _counter("statement_temp_blocks", "Blocks written to temporary files.", ((n, r.temp) for n, r in found))
    labels = [SERVICE, "queryid"]
    total = CounterMetricFamily("engarde_statement_seconds", "The statements that took longest.", labels=labels)
    calls = CounterMetricFamily("engarde_statement_calls", "How often each of them ran.", labels=labels)
    for name, ran in found:
        every = {each.queryid: each for each in (*ran.by_total, *ran.by_mean) if each.queryid is not None}
        for queryid, each in every.items():
            total.add_metric([name, str(queryid)], each.total / 1000)
            calls.add_metric([name, str(queryid)], each.calls)
    yield from (total, calls)
