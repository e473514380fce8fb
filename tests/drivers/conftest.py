"""Leaves out what this machine has nothing to run with; the report names it."""

from tests.drivers.collected import PGBOUNCER, absent

collect_ignore = (
    ["test_pgbouncer.py", "test_pooler_health.py", "test_pooled_migrations.py"] if PGBOUNCER in absent() else []
)
