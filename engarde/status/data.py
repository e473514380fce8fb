"""A report as JSON: null is what was not seen, or cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from engarde.output.show import document
from engarde.status.connections import Connections
from engarde.status.passed import Passed
from engarde.status.report import Report, Service, Whole
from engarde.status.run_time import Ran, Slow
from engarde.status.storage import LARGEST, IndexUse, Sized, Stored


def as_json(report: Report, passed: Sequence[Passed]) -> str:
    """The report for machines."""
    return document(
        stack=report.stack,
        database=report.database,
        at=_time(report.at),
        server=_whole(report.whole),
        services=[_service(each, report.queries) for each in report.services],
        notVisible=[{"what": each.what, "why": each.why, "heal": each.heal} for each in report.unseen],
        passed=[
            {
                "service": each.service,
                "threshold": each.threshold,
                "limit": each.limit,
                "actual": each.actual,
                "said": each.said,
            }
            for each in passed
        ],
    )


def _time(then: float | None) -> str | None:
    return None if then is None else datetime.fromtimestamp(then, UTC).isoformat(timespec="seconds")


def _whole(whole: Whole) -> dict[str, object]:
    seen = whole.seen
    return {
        "version": seen.version,
        "startedAt": _time(seen.started),
        "standby": seen.standby,
        "connections": {
            "used": whole.connections,
            "room": whole.room,
            "others": dict(whole.others),
            "blocked": whole.blocked,
        },
        "budget": {"limit": whole.budget, "promised": whole.promised, "used": whole.used_by_stack},
        "databaseBytes": whole.database_size,
        "cacheHit": whole.cache_hit,
        "deadlocks": seen.deadlocks,
        "tempBytes": seen.temp_bytes,
        "countedSince": _time(seen.counted_since),
        "transactionAge": seen.transaction_age,
        "multixactAge": seen.multixact_age,
        "settings": {
            each.name: {"value": each.value, "waitsForRestart": each.waits_for_restart}
            for each in whole.settings.values()
        },
    }


def _service(service: Service, queries: bool) -> dict[str, object]:
    return {
        "service": service.subject.name,
        "schemas": list(service.subject.schemas),
        "roles": list(service.subject.roles),
        "storage": _stored(service.stored) if service.stored else None,
        "connections": _connections(service.connections),
        "statements": _ran(service.ran, queries) if service.ran else None,
        "revision": None if service.revision is None else list(service.revision),
    }


def _stored(stored: Stored) -> dict[str, object]:
    return {
        "bytes": {
            "tables": stored.sum(lambda each: each.table),
            "indexes": stored.sum(lambda each: each.indexes),
            "toast": stored.sum(lambda each: each.toast),
            "total": stored.sum(lambda each: each.total),
        },
        "tables": len(stored.tables) + len(stored.unmeasured),
        "notMeasured": list(stored.unmeasured),
        "rows": stored.rows,
        "deadRows": stored.sum(lambda each: each.dead),
        "largest": [_sized(each) for each in stored.tables[:LARGEST]],
        "mostDeadRows": [_sized(each) for each in stored.most_dead],
        "transactionsLeft": stored.transactions_left,
        "multixactsLeft": stored.multixacts_left,
        "sequencesNearEnd": [
            {"schema": each.schema, "name": each.name, "used": each.used, "left": each.left}
            for each in stored.sequences
        ],
        "sequencesNotRead": stored.sequences_unread,
        "unusedIndexes": [_index(each) for each in stored.unused],
        "duplicateIndexes": [_index(each) for each in stored.duplicates],
    }


def _sized(table: Sized) -> dict[str, object]:
    return {
        "schema": table.schema,
        "name": table.name,
        "partitions": table.partitions,
        "bytes": {"table": table.table, "indexes": table.indexes, "toast": table.toast, "total": table.total},
        "rows": table.rows,
        "deadRows": table.dead,
        "vacuumedAt": _time(table.vacuumed),
        "analyzedAt": _time(table.analyzed),
    }


def _index(index: IndexUse) -> dict[str, object]:
    return {
        "schema": index.schema,
        "table": index.table,
        "name": index.name,
        "sameAs": index.same_as,
        "bytes": index.bytes,
    }


def _connections(found: Connections) -> dict[str, object]:
    return {
        "total": found.total,
        "limit": found.limit,
        "states": None if found.states is None else dict(found.states),
        "longestTransactionSeconds": found.longest_transaction,
        "longestIdleInTransactionSeconds": found.longest_idle,
        "blocked": [
            {
                "pid": each.pid,
                "role": each.role,
                "waitsFor": each.waits_for,
                "mode": each.mode,
                "seconds": each.seconds,
                "query": each.query,
                "blockedBy": [
                    {
                        "pid": by.pid,
                        "role": by.role,
                        "service": by.of,
                        "state": by.state,
                        "transactionSeconds": by.in_transaction,
                        "query": by.query,
                    }
                    for by in each.by
                ],
            }
            for each in found.blocked
        ],
        "locksElsewhere": [
            {
                "role": each.role,
                "schema": each.schema,
                "service": each.of,
                "mode": each.mode,
                "granted": each.granted,
                "count": each.count,
                "seconds": each.seconds,
            }
            for each in found.across
        ],
    }


def _ran(ran: Ran, queries: bool) -> dict[str, object]:
    return {
        "calls": ran.calls,
        "totalMilliseconds": ran.total,
        "meanMilliseconds": ran.mean,
        "rows": ran.rows,
        "cacheHit": ran.cache_hit,
        "tempBlocks": ran.temp,
        "byTotal": [_slow(each, queries) for each in ran.by_total],
        "byMean": [_slow(each, queries) for each in ran.by_mean],
    }


def _slow(each: Slow, queries: bool) -> dict[str, object]:
    text = {"query": each.query} if queries else {}
    return {
        "queryId": None if each.queryid is None else str(each.queryid),
        **text,
        "calls": each.calls,
        "totalMilliseconds": each.total,
        "meanMilliseconds": each.mean,
        "rows": each.rows,
        "cacheHit": each.cache_hit,
        "tempBlocks": each.temp,
    }
