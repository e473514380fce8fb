"""The whole server as metrics."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from engarde.status.report import Report


def of_server(report: Report) -> Iterator[Metric]:
    """Each figure of the server and of the stack's database."""
    whole, seen = report.whole, report.whole.seen
    info = GaugeMetricFamily("engarde_server_info", "1, with the version.", labels=["version", "database"])
    info.add_metric([seen.version, report.database], 1)
    yield info
    for name, text, value in (
        ("server_connections_used", "Clients of the whole server.", whole.connections),
        ("server_connections_room", "Connections that clients may have.", whole.room),
        ("server_connections_budget", "What the stack's limits together may reach.", whole.budget),
        ("server_connections_promised", "The stack's limits together.", whole.promised),
        ("server_blocked_sessions", "Sessions that wait for a lock.", whole.blocked),
        ("server_start_time_seconds", "When the server was started, since 1970.", seen.started),
        ("database_size_bytes", "What the whole database takes on the disk.", whole.database_size),
        ("database_cache_hit_ratio", "Blocks found in the cache, of all asked for.", whole.cache_hit),
        ("database_transaction_age", "Age of the oldest row, in transactions.", seen.transaction_age),
        ("database_multixact_age", "Age of the oldest multixact.", seen.multixact_age),
    ):
        if value is not None:
            yield GaugeMetricFamily(f"engarde_{name}", text, value=value)
    for name, text, counted in (
        ("database_blocks_hit", "Blocks found in the cache.", seen.blocks_hit),
        ("database_blocks_read", "Blocks that had to be read.", seen.blocks_read),
        ("database_deadlocks", "Deadlocks.", seen.deadlocks),
        ("database_temp_bytes", "Written to temporary files.", seen.temp_bytes),
    ):
        yield CounterMetricFamily(f"engarde_{name}", text, value=counted)
    others = GaugeMetricFamily(
        "engarde_server_other_connections", "Clients that are nobody's in the stack.", labels=["role"]
    )
    for role, count in whole.others.items():
        others.add_metric([role], count)
    yield others
